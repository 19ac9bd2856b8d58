"""Base64 as strict as in Codex's exec-server, with the same error messages."""

from __future__ import annotations

from pybase64 import b64decode, b64encode

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_VALUES = {symbol: value for value, symbol in enumerate(_ALPHABET)}


class Base64Error(ValueError):
    """Raised for text that is not canonical, padded base64."""


def encode_base64(data: bytes) -> bytes:
    """Encode bytes as base64."""
    return b64encode(data)


def decode_base64(text: str | bytes) -> bytes:
    """Decode base64.

    :raises Base64Error: names the first invalid symbol and its offset, or the other reason.
    """
    try:
        decoded = b64decode(text, validate=True)
    except ValueError:
        raise Base64Error(_find_fault(_to_bytes(text))) from None
    end = _to_bytes(text[-3:])
    if end.endswith(b"="):
        symbols = end.rstrip(b"=")
        unused = 15 if end.endswith(b"==") else 3
        if _VALUES[symbols[-1]] & unused:
            place = len(text) - len(end) + len(symbols) - 1
            raise Base64Error(f"Invalid last symbol {symbols[-1]}, offset {place}.")
    return decoded


def _to_bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")


def _find_fault(data: bytes) -> str:
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
