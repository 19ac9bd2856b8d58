"""Detect the format of an image from its content, and whether it is complete."""

from __future__ import annotations

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_END = b"IEND\xaeB`\x82"


def image_type(data: bytes) -> str | None:
    """Return the MIME type of a complete PNG, JPEG, GIF or WebP image, or ``None`` for anything else.

    A truncated file is not accepted: the model provider would reject it, and with it every later request of the thread.
    """
    if data.startswith(_PNG):
        return "image/png" if data[12:16] == b"IHDR" and data.rfind(_PNG_END) > 0 else None
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg" if data.rfind(b"\xff\xd9", 3) > 0 else None
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return "image/gif" if len(data) > 13 and b"\x3b" in data[-64:] else None
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        size = int.from_bytes(data[4:8], "little")
        return "image/webp" if 12 < size + 8 <= len(data) + 1 else None
    return None
