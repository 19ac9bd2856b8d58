"""Base64 as the protocol's server reads and writes it: as strictly, with its words for what is wrong."""

from __future__ import annotations

from binascii import Error, a2b_base64, b2a_base64
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from codex_exec_server.openssl_base64 import Codec

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_VALUES = {symbol: value for value, symbol in enumerate(_ALPHABET)}
_LONG: Final = 2048
"""Bytes from which the quicker way is quicker."""


class Base64Error(ValueError):
    """Raised for a text that is not canonical, padded base64."""


def encode_base64(data: bytes) -> bytes:
    """Return the text that stands for some bytes; to be called on the event loop's thread only."""
    return b2a_base64(data, newline=False) if len(data) < _LONG else _quickest().encode(data)


def decode_base64(text: str | bytes) -> bytes:
    """Return the bytes that a text stands for; to be called on the event loop's thread only.

    :raises Base64Error: naming the first wrong symbol and where it stands, or what else is wrong.
    """
    try:
        decoded = a2b_base64(text, strict_mode=True) if len(text) < _LONG else _quickest().decode(_encoded(text))
    except (Error, ValueError):
        raise Base64Error(_fault(_encoded(text))) from None
    end = _encoded(text[-3:])
    if end.endswith(b"="):
        symbols = end.rstrip(b"=")
        unused = 15 if end.endswith(b"==") else 3
        if _VALUES[symbols[-1]] & unused:
            place = len(text) - len(end) + len(symbols) - 1
            raise Base64Error(f"Invalid last symbol {symbols[-1]}, offset {place}.")
    return decoded


@cache
def _quickest() -> Codec:
    from codex_exec_server.openssl_base64 import quickest

    return quickest()


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
