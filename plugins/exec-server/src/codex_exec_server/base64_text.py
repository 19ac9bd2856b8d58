"""Decode base64 as strictly as the protocol's server, with its words for what is wrong."""

from __future__ import annotations

from binascii import Error, a2b_base64

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_VALUES = {symbol: value for value, symbol in enumerate(_ALPHABET)}


class Base64Error(ValueError):
    """Raised for a text that is not canonical, padded base64."""


def decode_base64(text: str) -> bytes:
    """Return the bytes that a text stands for.

    :raises Base64Error: naming the first wrong symbol and where it stands, or what else is wrong.
    """
    try:
        decoded = a2b_base64(text, strict_mode=True)
    except (Error, ValueError):
        raise Base64Error(_fault(text.encode("utf-8", "surrogatepass"))) from None
    if text.endswith("="):
        symbols = text.rstrip("=")
        unused = 15 if text.endswith("==") else 3
        if _VALUES[ord(symbols[-1])] & unused:
            raise Base64Error(f"Invalid last symbol {ord(symbols[-1])}, offset {len(symbols) - 1}.")
    return decoded


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
