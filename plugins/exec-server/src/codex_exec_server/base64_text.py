"""Base64 as the protocol's server reads and writes it: as strictly, with its words for what is wrong."""

from __future__ import annotations

from pybase64 import b64decode, b64encode

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_VALUES = {symbol: value for value, symbol in enumerate(_ALPHABET)}


class Base64Error(ValueError):
    """Raised for a text that is not canonical, padded base64."""


def encode_base64(data: bytes) -> bytes:
    """Return the text that stands for some bytes."""
    return b64encode(data)


def decode_base64(text: str | bytes) -> bytes:
    """Return the bytes that a text stands for.

    :raises Base64Error: naming the first wrong symbol and where it stands, or what else is wrong.
    """
    try:
        decoded = b64decode(text, validate=True)
    except ValueError:
        raise Base64Error(_fault(_encoded(text))) from None
    end = _encoded(text[-3:])
    if end.endswith(b"="):
        symbols = end.rstrip(b"=")
        unused = 15 if end.endswith(b"==") else 3
        if _VALUES[symbols[-1]] & unused:
            place = len(text) - len(end) + len(symbols) - 1
            raise Base64Error(f"Invalid last symbol {symbols[-1]}, offset {place}.")
    return decoded


def _encoded(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")


def _fault(data: bytes) -> str:
    core = data[:-2] if data.endswith(b"==") else data.removesuffix(b"=")
    if len(data) % 4 == 0 or len(core) == len(data):
        for offset, symbol in enumerate(core):
            if symbol not in _VALUES:
                return f"Invalid symbol {symbol}, offset {offset}."
    for offset, symbol in enumerate(data):
        if symbol not in _VALUES and not (symbol == ord("=") and offset % 4 >= 2):
            return f"Invalid symbol {symbol}, offset {offset}."
    if len(core) % 4 == 1:
        return f"Invalid input length: {len(data)}"
    return "Invalid padding"
