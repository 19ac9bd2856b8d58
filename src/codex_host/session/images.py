"""Convert image files named by the user to data URLs."""

from __future__ import annotations

from collections.abc import Sequence

from codex_hookspecs.errors import ConfigError
from codex_hookspecs.types.json import JsonObject

MAX_BYTES = 20 * 1024 * 1024
_MAGIC = ((b"\x89PNG", "png"), (b"\xff\xd8", "jpeg"), (b"GIF8", "gif"), (b"RIFF", "webp"), (b"BM", "bmp"))


async def with_images(content: Sequence[JsonObject]) -> list[JsonObject]:
    """Return user inputs with every ``localImage`` replaced by an ``image`` with its content and path.

    In place of a file that can't be read, is too large or not an image, the model gets a text that says so, as in
    Codex 0.118.
    """
    return [_read(part) if part["type"] == "localImage" else part for part in content]


def _read(part: JsonObject) -> JsonObject:
    from base64 import b64encode

    from codex_hookspecs.file_reading import read_bytes

    path = part["path"]
    try:
        data = read_bytes(path, limit=MAX_BYTES)
    except ConfigError as error:
        return _unread(path, error.message.removeprefix("can't be read: "))
    if data is None:
        return _unread(path, "No such file or directory")
    kind = next((name for magic, name in _MAGIC if data.startswith(magic)), None)
    if kind is None:
        return _unread(path, "it is not an image that models take (PNG, JPEG, GIF, WebP, BMP)")
    return {"type": "image", "url": f"data:image/{kind};base64,{b64encode(data).decode('ascii')}", "path": path}


def _unread(path: str, reason: str) -> JsonObject:
    return {"type": "text", "text": f"Codex could not read the local image at `{path}`: {reason}"}
