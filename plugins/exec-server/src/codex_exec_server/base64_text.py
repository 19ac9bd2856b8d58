"""Base64 of files and output."""

from __future__ import annotations

from functools import partial

from pybase64 import b64decode, b64encode

from codex_hookspecs.environments import Base64Error
from codex_hookspecs.environments import decode_base64 as decode_strictly

__all__ = ["Base64Error", "decode_base64", "encode_base64"]

_decode = partial(b64decode, validate=True)


def encode_base64(data: bytes) -> bytes:
    """Encode bytes as base64."""
    return b64encode(data)


def decode_base64(text: str | bytes) -> bytes:
    """Decode base64.

    :raises Base64Error: names the first invalid symbol and its offset, or the other reason.
    """
    return decode_strictly(text, _decode)
