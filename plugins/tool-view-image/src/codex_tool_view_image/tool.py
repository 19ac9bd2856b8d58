"""The tool ``view_image``: return an image file of the thread's environment to the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from codex_hookspecs.errors import FileSystemError, ToolError
from codex_hookspecs.json_text import parse_json
from codex_hookspecs.protocol import ImageView
from codex_hookspecs.tools import ToolCall, ToolOutput
from codex_sandboxing.file_scope import readable_files
from codex_tool_view_image.formats import image_type

if TYPE_CHECKING:
    from codex_hookspecs.environments import Environment, FileSystem
    from codex_hookspecs.tools import ToolContext

MAX_IMAGE_BYTES = 15 * 1024 * 1024
"""Maximum size of an image file; as base64 it is a third larger, and providers accept about 20 MB."""


async def view_image(call: ToolCall, context: ToolContext, *, with_detail: bool) -> ToolOutput:
    """Return the image as a content part with a ``data:`` URL.

    :param with_detail: the model may request the original size.
    :raises ToolError: when the file does not exist or is not a supported image.
    """
    path, detail = _arguments(call.arguments)
    environment = await context.environment()
    path = await _absolute_path(path, context.settings.cwd, environment)
    data = await _read_image(path, await readable_files(environment, context.settings))
    kind = image_type(data)
    if kind is None:
        raise ToolError(f"unable to process image at `{path}`: unsupported image `{_guess_type(path)}`")
    item = ImageView(id=call.call_id, path=path)
    await context.start_item(item)
    await context.complete_item(item)
    return _output(kind, data, detail if with_detail else None)


def _arguments(text: str) -> tuple[str, str | None]:
    try:
        value: Any = parse_json(text)
    except ValueError as error:
        raise ToolError(f"failed to parse function arguments: {error}") from error
    if not isinstance(value, dict) or "path" not in value:
        raise ToolError("failed to parse function arguments: missing field `path`")
    path, detail = value["path"], value.get("detail")
    if not isinstance(path, str) or not isinstance(detail, str | None):
        raise ToolError("failed to parse function arguments: `path` and `detail` must be strings")
    if detail not in (None, "original"):
        raise ToolError(
            f"view_image.detail only supports `original`; omit `detail` for default resized behavior, got `{detail}`"
        )
    return path, detail


async def _absolute_path(path: str, cwd: str, environment: Environment) -> str:
    import ntpath
    import posixpath

    module = ntpath if (await environment.facts()).os == "windows" else posixpath
    return str(module.normpath(module.join(cwd, path)))


async def _read_image(path: str, files: FileSystem) -> bytes:
    try:
        metadata = await files.metadata(path)
    except FileSystemError as error:
        raise ToolError(f"unable to locate image at `{path}`: {error}") from error
    if not metadata.is_file:
        raise ToolError(f"image path `{path}` is not a file")
    try:
        data = await files.read_file(path, limit=MAX_IMAGE_BYTES + 1)
    except FileSystemError as error:
        raise ToolError(f"unable to read image at `{path}`: {error}") from error
    if len(data) > MAX_IMAGE_BYTES:
        raise ToolError(f"unable to process image at `{path}`: larger than {MAX_IMAGE_BYTES // 1024 // 1024} MiB")
    return data


def _output(kind: str, data: bytes, detail: str | None) -> ToolOutput:
    from base64 import b64encode

    url = f"data:{kind};base64,{b64encode(data).decode()}"
    part = {"type": "input_image", "image_url": url}
    if detail is not None:
        part["detail"] = detail
    return ToolOutput(content=(part,), hook_response=[part])


def _guess_type(path: str) -> str:
    """Return the MIME type that the file's name suggests, for the error message."""
    from mimetypes import MimeTypes

    return MimeTypes().guess_type(path, strict=False)[0] or "unknown"
