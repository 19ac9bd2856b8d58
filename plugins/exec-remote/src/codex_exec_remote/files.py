"""The file system of a remote environment."""

from __future__ import annotations

import errno
import os
import posixpath
from base64 import b64encode
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from codex_exec_remote.client import Client
from codex_exec_remote.file_calls import call_files, decode_content, find_errno, is_missing
from codex_exec_remote.open_files import RemoteFile, WholeFile
from codex_exec_remote.protocol_versions import ProtocolError, decode_path, encode_path
from codex_hookspecs.environments import DirectoryEntry, FileMetadata
from codex_hookspecs.errors import ExecError, FilesLost, FileSystemError, RpcError
from codex_hookspecs.protocol import uuid4
from codex_sandboxing.exec_server_form import write_context
from codex_sandboxing.writable_roots import real_path

if TYPE_CHECKING:
    from codex_hookspecs.environments import FileScope, FileWatch, OpenFile
    from codex_hookspecs.protocol import JsonObject

WHOLE_BYTES: Final = 8 * 1024 * 1024
"""Size up to which content is sent in one message; larger content is sent in blocks, where the server supports them."""
MAX_BYTES: Final = 40 * 1024 * 1024
"""Maximum size of content for a server that does not support blocks."""
_READ_ONLY: Final = f"{os.strerror(errno.EROFS)} (os error {errno.EROFS})"
_UNKNOWN_METHOD = -32601


class RemoteFileSystem:
    """Files by absolute path.

    A server without sandboxes (0.118) can't enforce a scope; there, paths are checked before use. No sandboxed
    command that could redirect a path by a symlink runs on such a server.

    :param client: returns a session.
    :param resolve: resolves the symlinks of an existing path where the server has no method for it.
    :param scope: restriction of access, which the server enforces; ``None`` for none.
    """

    def __init__(
        self,
        client: Callable[[], Awaitable[Client]],
        resolve: Callable[[str], Awaitable[str]] | None = None,
        scope: FileScope | None = None,
    ) -> None:
        self._client = client
        self._resolve = resolve or _normalize
        self._scope = scope

    def within(self, scope: FileScope) -> RemoteFileSystem:
        """Return the same file system, restricted by a scope."""
        return self if scope.unrestricted else RemoteFileSystem(self._client, self._resolve, scope)

    async def read_file(self, path: str, *, limit: int | None = None) -> bytes:
        """Return the content of a regular file, at most ``limit`` bytes of it."""
        size = (await self.metadata(path)).size
        wanted = size if limit is None else min(size, limit)
        client = await self._session(path)
        if max(size, wanted) > WHOLE_BYTES and client.protocol_version == "0.169":
            return await self._read_blocks(client, path, wanted)
        if size > MAX_BYTES:
            raise FileSystemError(f"file `{path}` is too large to be read from this exec-server", path=path)
        result = await self._request("fs/readFile", path, self._read_sandbox())
        return decode_content(result.get("dataBase64"), path)[:limit]

    async def write_file(self, path: str, data: bytes) -> None:
        """Replace or create a file."""
        client = await self._session(path)
        if len(data) > WHOLE_BYTES and client.protocol_version == "0.169":
            await self._write_blocks(client, path, data)
            return
        if len(data) > MAX_BYTES:
            raise FileSystemError(f"{len(data)} bytes are too many to be written through this exec-server", path=path)
        sandbox = await self._write_sandbox(path)
        await self._request("fs/writeFile", path, sandbox, dataBase64=b64encode(data).decode())

    async def open(self, path: str, *, replace: bool = False) -> OpenFile:
        """Open a regular file for reading, or with ``replace`` truncated for writing."""
        client = await self._session(path)
        if client.protocol_version == "0.169":
            return await self._open(client, path, replace=replace)
        if replace:
            await self.write_file(path, b"")
        else:
            await self.read_file(path, limit=0)
        return WholeFile(self, path)

    async def create_directory(self, path: str, *, recursive: bool = True) -> None:
        """Create a directory."""
        sandbox = await self._write_sandbox(path, creating=True)
        existing = lambda error: find_errno(error) == errno.EEXIST  # noqa: E731
        await self._request("fs/createDirectory", path, sandbox, done=existing, recursive=recursive)

    async def metadata(self, path: str) -> FileMetadata:
        """Return the metadata of a path."""
        found = await self._request("fs/getMetadata", path, self._read_sandbox())
        return FileMetadata(
            is_directory=found.get("isDirectory") is True,
            is_file=found.get("isFile") is True,
            is_symlink=found.get("isSymlink") is True,
            size=_number(found.get("size")),
            created_at_ms=_number(found.get("createdAtMs")),
            modified_at_ms=_number(found.get("modifiedAtMs")),
        )

    async def canonicalize(self, path: str) -> str:
        """Return the path with all symlinks resolved."""
        try:
            found = await self._request("fs/canonicalize", path, self._read_sandbox())
            return decode_path(found.get("path"))
        except ProtocolError as error:
            raise FileSystemError(str(error), path=path) from error
        except FileSystemError as error:
            if not isinstance(error.__cause__, RpcError) or error.__cause__.code != _UNKNOWN_METHOD:
                raise
            await self.metadata(path)
            return await self._resolve(path)

    async def read_directory(self, path: str) -> Sequence[DirectoryEntry]:
        """Return the entries of a directory, unsorted."""
        found = (await self._request("fs/readDirectory", path, self._read_sandbox())).get("entries")
        return [
            DirectoryEntry(
                str(entry.get("fileName")), entry.get("isDirectory") is True, is_file=entry.get("isFile") is True
            )
            for entry in (found if isinstance(found, list) else [])
            if isinstance(entry, dict)
        ]

    async def remove(self, path: str, *, recursive: bool = True, force: bool = True) -> None:
        """Remove a file, symlink or tree."""
        gone = None if force else is_missing
        sandbox = await self._write_sandbox(path, creating=not recursive)
        await self._request("fs/remove", path, sandbox, done=gone, recursive=recursive, force=force)

    async def copy(self, source: str, destination: str, *, recursive: bool = False) -> None:
        """Copy a file, or with ``recursive`` a tree."""
        client = await self._session(source)
        sandbox = await self._write_sandbox(destination)
        params = {
            "sourcePath": encode_path(client.protocol_version, _absolute(source)),
            "destinationPath": encode_path(client.protocol_version, _absolute(destination)),
            "recursive": recursive,
            **({"sandbox": sandbox} if client.protocol_version == "0.169" else {}),
        }
        await call_files(client, "fs/copy", source, params)

    async def watch(self, path: str) -> FileWatch:
        """Refuse to watch a path: the protocol can't."""
        raise FileSystemError("files of a remote environment can't be watched", path=path)

    async def _read_blocks(self, client: Client, path: str, wanted: int) -> bytes:
        file = await self._open(client, path, replace=False)
        try:
            return await file.read(0, wanted)
        finally:
            file.drop()

    async def _write_blocks(self, client: Client, path: str, data: bytes) -> None:
        file = await self._open(client, path, replace=True)
        try:
            await file.write(0, data)
            await file.aclose()
        finally:
            file.drop()

    async def _open(self, client: Client, path: str, *, replace: bool) -> RemoteFile:
        handle = uuid4().replace("-", "")
        sandbox = await self._write_sandbox(path) if replace else self._read_sandbox()
        mode = "replace" if replace else "read"
        await call_files(client, "fs/open", path, self._params(client, path, sandbox, handleId=handle, mode=mode))
        return RemoteFile(client, path, handle)

    async def _session(self, path: str) -> Client:
        _absolute(path)
        try:
            return await self._client()
        except ExecError as error:
            raise FilesLost(str(error), path=path) from error

    def _read_sandbox(self) -> JsonObject | None:
        """Return the ``sandbox`` parameter for reading."""
        if self._scope is None or self._scope.readable is None:
            return None
        return write_context(self._scope.policy, self._scope.cwd)

    async def _write_sandbox(self, path: str, *, creating: bool = False) -> JsonObject | None:
        """Return the ``sandbox`` parameter for changing a path; ``None`` when the change was approved.

        :param creating: whether a directory is created, or removed when it is empty.
        """
        scope = self._scope
        if scope is None:
            return None
        holding = (await self._session(path)).protocol_version == "0.169"
        if scope.approved or not holding:
            folder, name = posixpath.split(posixpath.normpath(_absolute(path)))
            whole = RemoteFileSystem(self._client, self._resolve)
            places = (posixpath.join(await real_path(folder, whole), name), await real_path(path, whole))
            if any(scope.approves(place, making=creating) for place in places):
                return None
            if not holding and not all(map(scope.may_write, places)):
                raise FileSystemError(_READ_ONLY, path=path, errno=errno.EROFS)
        return write_context(scope.policy, scope.cwd)

    def _params(self, client: Client, path: str, sandbox: JsonObject | None, **members: Any) -> dict[str, Any]:
        params: dict[str, Any] = {"path": encode_path(client.protocol_version, _absolute(path)), **members}
        return params if client.protocol_version == "0.118" else {**params, "sandbox": sandbox}

    async def _request(
        self,
        method: str,
        path: str,
        sandbox: JsonObject | None,
        *,
        done: Callable[[RpcError], bool] | None = None,
        **members: Any,
    ) -> dict[str, Any]:
        client = await self._session(path)
        return await call_files(client, method, path, self._params(client, path, sandbox, **members), done)


async def _normalize(path: str) -> str:
    return posixpath.normpath(path)


def _absolute(path: str) -> str:
    if not path.startswith("/"):
        raise FileSystemError(f"path `{path}` is not absolute", path=path)
    if "\0" in path:
        raise FileSystemError(f"path `{path!r}` can't be used: embedded null byte", path=path)
    return path


def _number(value: Any) -> int:
    return value if type(value) is int else 0
