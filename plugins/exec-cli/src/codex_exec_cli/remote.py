"""What a run on an app-server elsewhere needs: files of this machine in the request, checks on that machine."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final

from codex_exec_cli.errors import ExecError, os_text
from codex_hookspecs.errors import RpcError

if TYPE_CHECKING:
    from codex_hookspecs.host import Config
    from codex_hookspecs.protocol import JsonObject
    from codex_hookspecs.surface import AppClient

_MAX_IMAGE_BYTES: Final = 32 * 1024 * 1024
_MAX_DEPTH: Final = 64


def session_flags(config: Config) -> dict[str, Any]:
    """Return what was set with ``-c``, ``--enable`` and ``--disable``, which the server applies to the thread."""
    found: dict[str, Any] = {}
    for layer in config.layers:
        if layer.kind == "sessionFlags":
            found.update(layer.table)
    return found


def image_content(path: str) -> JsonObject:
    """Return an image as a user input that holds it, because the server can't read files of this machine.

    :raises ExecError: when it can't be read.
    """
    from mimetypes import guess_type

    try:
        with open(path, "rb") as file:
            data = file.read(_MAX_IMAGE_BYTES + 1)
    except OSError as error:
        raise ExecError(f"Failed to read image {path}: {os_text(error)}") from error
    if len(data) > _MAX_IMAGE_BYTES:
        raise ExecError(f"Image {path} is longer than {_MAX_IMAGE_BYTES >> 20} MiB")
    kind = guess_type(path)[0] or "image/png"
    return {"type": "image", "url": f"data:{kind};base64,{base64.b64encode(data).decode()}"}


async def check_remote_directory(client: AppClient, cwd: str) -> None:
    """Check that a directory on the machine of the server is in a repository.

    :param cwd: absolute path there.
    :raises ExecError: when it is not, or that can't be found out.
    """
    place = cwd.rstrip("/")
    for _ in range(_MAX_DEPTH):
        if await _is_repository(client, f"{place}/.git"):
            return
        if not place:
            break
        place = place.rpartition("/")[0]
    raise ExecError("Not inside a trusted directory and --skip-git-repo-check was not specified.")


async def _is_repository(client: AppClient, path: str) -> bool:
    """Tell whether a ``.git`` is one of a work tree, or a directory of a repository, which has a ``HEAD``."""
    try:
        found = await client.request("fs/getMetadata", {"path": path})
        if found.is_directory:
            await client.request("fs/getMetadata", {"path": f"{path}/HEAD"})
    except RpcError:
        return False
    return bool(found.is_file or found.is_directory)
