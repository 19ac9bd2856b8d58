"""Handle the methods ``fs/*`` for whole files and directories."""

from __future__ import annotations

import errno
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from codex_exec_server.base64_text import Base64Error, decode_base64, encode_base64
from codex_exec_server.connection import Connection, Method
from codex_exec_server.decoding import REQUIRED, Member, base64_string, boolean, optional, path, size, struct
from codex_exec_server.messages import Encoded
from codex_exec_server.sandbox import read_sandbox
from codex_hookspecs.environments import uri_of
from codex_hookspecs.errors import FileSystemError, RpcError

if TYPE_CHECKING:
    from codex_exec_server.sandboxed_files import SandboxedFiles
    from codex_hookspecs.environments import FileSystem

NOT_FOUND = -32004
MAX_READ = 512 * 1024 * 1024
NEEDS = "filesystem"
CODES: Final = {errno.ENOENT: NOT_FOUND, errno.EPERM: -32600, errno.EACCES: -32600, None: -32600}
"""JSON-RPC error codes by errno; ``None`` is for failures without one."""


def order_key(_params: dict[str, Any]) -> str:
    """Return the same key for all file methods, so that a connection's are handled in order."""
    return "fs"


def file_struct(name: str, members: dict[str, Member], elements: int | None = None) -> Callable[[Any], dict[str, Any]]:
    """Make a reader of parameters with an optional ``sandbox``."""
    return struct(f"Wire{name}", {**members, "sandbox": (read_sandbox, None)}, elements=elements)


def to_rpc_error(error: FileSystemError) -> RpcError:
    """Convert the failure of a file operation to a JSON-RPC error."""
    return RpcError(str(error), code=CODES.get(error.errno, -32603))


def os_error_to_rpc(error: OSError) -> RpcError:
    """Convert the failure of a system call to a JSON-RPC error."""
    return RpcError(f"{error.strerror} (os error {error.errno})", code=CODES.get(error.errno, -32603))


def _files(connection: Connection, params: dict[str, Any], *, writes: bool = False) -> FileSystem | SandboxedFiles:
    return connection.server.files(params["sandbox"], writes=writes)


def _with_rpc_errors(run: Callable[[Connection, dict[str, Any]], Awaitable[Any]]) -> Callable[[Connection, Any], Any]:
    async def guarded(connection: Connection, params: dict[str, Any]) -> Any:
        try:
            return await run(connection, params)
        except FileSystemError as error:
            raise to_rpc_error(error) from error

    return guarded


def _method(
    name: str,
    members: dict[str, Member],
    run: Callable[[Connection, dict[str, Any]], Awaitable[Any]],
    elements: int | None = None,
) -> Method:
    return Method(file_struct(name, members, elements), _with_rpc_errors(run), NEEDS, order_key=order_key)


async def _read_file(connection: Connection, params: dict[str, Any]) -> Any:
    files = _files(connection, params)
    if files is connection.server.environment.files:
        found = await files.metadata(params["path"])
        if found.is_file and found.size > MAX_READ:
            raise _too_large()
        content = await files.read_file(params["path"])
    else:  # Every further call would start another sandboxed helper.
        content = await files.read_file(params["path"], limit=MAX_READ + 1)
        if len(content) > MAX_READ:
            raise _too_large()
    return Encoded((b'{"dataBase64":"', encode_base64(content), b'"}'))


def _too_large() -> RpcError:
    return RpcError(f"file is too large to read: limit is {MAX_READ} bytes")


async def _write_file(connection: Connection, params: dict[str, Any]) -> Any:
    content = params["dataBase64"]
    try:
        content = decode_base64(content) if type(content) is str else content
    except Base64Error as error:
        raise RpcError(f"fs/writeFile requires valid base64 dataBase64: {error}") from None
    await _files(connection, params, writes=True).write_file(params["path"], content)
    return {}


async def _create_directory(connection: Connection, params: dict[str, Any]) -> Any:
    recursive = params["recursive"] is not False
    await _files(connection, params, writes=True).create_directory(params["path"], recursive=recursive)
    return {}


async def _metadata(connection: Connection, params: dict[str, Any]) -> Any:
    found = await _files(connection, params).metadata(params["path"])
    return {
        "isDirectory": found.is_directory,
        "isFile": found.is_file,
        "isSymlink": found.is_symlink,
        "size": found.size,
        "createdAtMs": found.created_at_ms,
        "modifiedAtMs": found.modified_at_ms,
    }


async def _canonicalize(connection: Connection, params: dict[str, Any]) -> Any:
    return {"path": uri_of(await _files(connection, params).canonicalize(params["path"]))}


async def _read_directory(connection: Connection, params: dict[str, Any]) -> Any:
    entries = await _files(connection, params).read_directory(params["path"])
    return {
        "entries": [
            {"fileName": _to_text(entry.file_name), "isDirectory": entry.is_directory, "isFile": entry.is_file}
            for entry in entries
        ]
    }


async def _remove(connection: Connection, params: dict[str, Any]) -> Any:
    recursive, force = params["recursive"] is not False, params["force"] is not False
    await _files(connection, params, writes=True).remove(params["path"], recursive=recursive, force=force)
    return {}


async def _copy(connection: Connection, params: dict[str, Any]) -> Any:
    source, destination, recursive = params["sourcePath"], params["destinationPath"], params["recursive"]
    try:
        await _files(connection, params, writes=True).copy(source, destination, recursive=recursive)
    except FileSystemError as error:
        if error.errno is None:
            raise RpcError(_copy_fault(str(error))) from error
        raise
    return {}


def _copy_fault(found: str) -> str:
    if "itself" in found:
        return "fs/copy cannot copy a directory to itself or one of its descendants"
    if "is a directory" in found:
        return "fs/copy requires recursive: true when sourcePath is a directory"
    if "neither file" in found:
        return "fs/copy only supports regular files, directories, and symlinks"
    return found


async def _walk(connection: Connection, params: dict[str, Any]) -> Any:
    import asyncio

    from codex_exec_server.sandboxed_files import SandboxedFiles
    from codex_exec_server.tree_walk import Limits, walk

    options = params["options"]
    limits = Limits(**{key: options[wire] for key, wire in _LIMITS.items()})
    if not limits.max_entries or not limits.max_directories:
        raise RpcError("filesystem walk limits must be greater than zero")
    if any(options[name] > most for name, (_, most) in _WALK_MAXIMA.items()):
        found = ", ".join(f"{shown}={most}" for shown, most in _WALK_MAXIMA.values())
        raise RpcError(f"filesystem walk limits exceed maximums: {found}")
    files = connection.server.files(params["sandbox"], writes=False)
    try:
        if isinstance(files, SandboxedFiles):
            listed = await files.walk(params["path"], limits)
        else:
            listed = await asyncio.get_running_loop().run_in_executor(None, walk, params["path"], limits)
    except OSError as error:
        raise os_error_to_rpc(error) from error
    for each in (*listed["entries"], *listed["errors"]):
        each["path"] = uri_of(each["path"])
    return listed


def _to_text(name: str) -> str:
    return name if name.isascii() else name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


_LIMITS = {
    "max_depth": "maxDepth",
    "max_directories": "maxDirectories",
    "max_entries": "maxEntries",
    "follow": "followDirectorySymlinks",
    "prune_hidden": "pruneHiddenDirectories",
}
_WALK_MAXIMA = {
    "maxDepth": ("depth", 64),
    "maxDirectories": ("directories", 10_000),
    "maxEntries": ("entries", 50_000),
}
_walk_options = struct(
    "WalkOptions",
    {
        "maxDepth": (size, REQUIRED),
        "maxDirectories": (size, REQUIRED),
        "maxEntries": (size, REQUIRED),
        "followDirectorySymlinks": (boolean, REQUIRED),
        "pruneHiddenDirectories": (boolean, False),
    },
)
_PATH: dict[str, Member] = {"path": (path, REQUIRED)}
_RECURSIVE: dict[str, Member] = {"recursive": (optional(boolean), None)}

METHODS = {
    "fs/readFile": _method("FsReadFileParams", _PATH, _read_file, 3),
    "fs/writeFile": _method("FsWriteFileParams", {**_PATH, "dataBase64": (base64_string, REQUIRED)}, _write_file, 4),
    "fs/createDirectory": _method("FsCreateDirectoryParams", {**_PATH, **_RECURSIVE}, _create_directory, 4),
    "fs/getMetadata": _method("FsGetMetadataParams", _PATH, _metadata, 3),
    "fs/canonicalize": _method("FsCanonicalizeParams", _PATH, _canonicalize),
    "fs/readDirectory": _method("FsReadDirectoryParams", _PATH, _read_directory),
    "fs/remove": _method("FsRemoveParams", {**_PATH, **_RECURSIVE, "force": (optional(boolean), None)}, _remove, 5),
    "fs/copy": _method(
        "FsCopyParams",
        {"sourcePath": (path, REQUIRED), "destinationPath": (path, REQUIRED), "recursive": (boolean, REQUIRED)},
        _copy,
    ),
    "fs/walk": _method("FsWalkParams", {**_PATH, "options": (_walk_options, REQUIRED)}, _walk),
}
