"""Generate the identifiers of threads, turns and items."""

from __future__ import annotations

import os
import time

_DIGITS = frozenset("0123456789abcdefABCDEF-")
_GROUPS = (8, 4, 4, 4, 12)


def uuid7(now_ms: int | None = None) -> str:
    """Return a UUID of version 7 (RFC 9562) as lower-case text.

    :param now_ms: milliseconds since the epoch; the current time if ``None``.
    """
    moment = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    number = (moment & 0xFFFFFFFFFFFF) << 80 | int.from_bytes(os.urandom(10), "big")
    number = number & ~(0xF << 76) | (0x7 << 76)
    number = number & ~(0x3 << 62) | (0x2 << 62)
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def uuid4() -> str:
    """Return a random UUID of version 4 as lower-case text."""
    number = int.from_bytes(os.urandom(16), "big")
    number = number & ~(0xF << 76) | (0x4 << 76)
    number = number & ~(0x3 << 62) | (0x2 << 62)
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def is_uuid(text: str) -> bool:
    """Return whether the text has the form of a UUID with dashes."""
    return not uuid_fault(text)


def uuid_fault(text: str) -> str:
    """Return what keeps a text from being a UUID with dashes, in the words of Codex; empty if nothing does."""
    for place, character in enumerate(text, 1):
        if character not in _DIGITS:
            expected = "an optional prefix of `urn:uuid:` followed by [0-9a-fA-F-]"
            return f"invalid character: expected {expected}, found `{character}` at {place}"
    lengths = [len(part) for part in text.split("-")]
    if len(lengths) == 1:
        return f"invalid length: expected length 32 for simple format, found {lengths[0]}"
    if len(lengths) != len(_GROUPS):
        return f"invalid group count: expected {len(_GROUPS)}, found {len(lengths)}"
    for number, (found, wanted) in enumerate(zip(lengths, _GROUPS, strict=True)):
        if found != wanted:
            return f"invalid group length in group {number}: expected {wanted}, found {found}"
    return ""
