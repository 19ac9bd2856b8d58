"""Base64 as strict as in Codex's servers, with the same error messages."""

from __future__ import annotations

import binascii
from collections.abc import Callable

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_VALUES = {symbol: value for value, symbol in enumerate(_ALPHABET)}


class Base64Error(ValueError):
    """Raised for text that is not canonical, padded base64."""


def _decode(text: str | bytes) -> bytes:
    return binascii.a2b_base64(text, strict_mode=True)


def decode_base64(text: str | bytes, decode: Callable[[str | bytes], bytes] = _decode) -> bytes:
    """Decode base64.

    :param decode: decodes valid base64, and raises ``ValueError`` for other text; for long texts a faster one than the
        default can be given.
    :raises Base64Error: names the first invalid symbol and its offset, or the other reason.
    """
    try:
        decoded = decode(text)
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
    if len(data) % 4 == 1 and data[-1] not in _VALUES and not data.endswith(b"="):
        return f"Invalid symbol {data[-1]}, offset {len(data) - 1}."  # checked first, as a line end is common
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
