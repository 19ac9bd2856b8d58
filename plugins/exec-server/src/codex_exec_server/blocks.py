"""Read and write files block by block (``fs/open``, ``fs/readBlock``, ``fs/writeBlock``, ``fs/close``)."""

from __future__ import annotations

import asyncio
import errno
import os
from typing import TYPE_CHECKING, Any

from codex_exec_server.base64_text import encode_base64
from codex_exec_server.connection import Connection, Method
from codex_exec_server.decoding import REQUIRED, data, path, size, struct, text, whole, word
from codex_exec_server.file_methods import NEEDS, NOT_FOUND, file_struct, lane, os_refusal, translated
from codex_exec_server.messages import Encoded
from codex_hookspecs.errors import FileSystemError, RpcError

if TYPE_CHECKING:
    from codex_hookspecs.environments import OpenFile

MOST_HANDLES = 128
MOST_ID_BYTES = 32
MOST_BLOCK = 1024 * 1024
_LARGEST_OFFSET = 2**63 - 1 - MOST_BLOCK


class Handles:
    """The files that one connection has open."""

    def __init__(self) -> None:
        self._open: dict[str, OpenFile] = {}

    def require_free(self, handle: str) -> None:
        """Refuse an id that can't be used.

        :raises RpcError: because of it.
        """
        if len(handle.encode("utf-8", "surrogatepass")) > MOST_ID_BYTES:
            raise RpcError(f"file handle ID must not exceed {MOST_ID_BYTES} bytes")
        if handle in self._open:
            raise RpcError(f"file handle `{handle}` already exists")
        if len(self._open) >= MOST_HANDLES:
            raise RpcError(f"at most {MOST_HANDLES} file handles may be open per connection")

    def keep(self, handle: str, file: OpenFile) -> None:
        """Keep an open file under an id."""
        self._open[handle] = file

    def find(self, handle: str) -> OpenFile:
        """Return an open file.

        :raises RpcError: when there is none of that id.
        """
        file = self._open.get(handle)
        if file is None:
            raise RpcError(f"unknown file handle `{handle}`", code=NOT_FOUND)
        return file

    def take(self, handle: str) -> OpenFile | None:
        """Return an open file, if there is one, and forget it."""
        return self._open.pop(handle, None)

    async def aclose(self) -> None:
        """Close all files."""
        files, self._open = list(self._open.values()), {}
        await asyncio.gather(*(file.aclose() for file in files))


def _handles(connection: Connection) -> Handles:
    found = connection.resources.get("handles")
    if found is None:
        found = connection.resources["handles"] = Handles()
    handles: Handles = found
    return handles


async def _open(connection: Connection, params: dict[str, Any]) -> Any:
    handles, handle, replace = _handles(connection), params["handleId"], params["mode"] == "replace"
    handles.require_free(handle)
    files = connection.server.files(params["sandbox"], writes=replace, whole=False)
    try:
        handles.keep(handle, await files.open(params["path"], replace=replace))
    except FileSystemError as error:
        raise translated(error) from error
    return {"handleId": handle}


async def _read_block(connection: Connection, params: dict[str, Any]) -> Any:
    length, offset = params["len"], params["offset"]
    if not 1 <= length <= MOST_BLOCK:
        raise RpcError(f"file read block length must be between 1 and {MOST_BLOCK}")
    handles, handle = _handles(connection), params["handleId"]
    file = handles.find(handle)
    if offset > _LARGEST_OFFSET:
        return _block(b"", length)
    try:
        return _block(await file.read(offset, length), length)
    except FileSystemError as error:  # What can't be read is of no more use.
        handles.take(handle)
        await file.aclose()
        raise translated(error) from error


def _block(block: bytes, length: int) -> Encoded:
    end = b'","eof":true}' if len(block) < length else b'","eof":false}'
    return Encoded((b'{"chunk":"', encode_base64(block), end))


async def _write_block(connection: Connection, params: dict[str, Any]) -> Any:
    block, offset = params["chunk"], params["offset"]
    if not 1 <= len(block) <= MOST_BLOCK:
        raise RpcError(f"file write block length must be between 1 and {MOST_BLOCK}")
    file = _handles(connection).find(params["handleId"])
    if offset > _LARGEST_OFFSET:
        raise os_refusal(OSError(errno.EINVAL, os.strerror(errno.EINVAL)))
    try:
        await file.write(offset, block)
    except FileSystemError as error:
        raise translated(error) from error
    return {}


async def _close(connection: Connection, params: dict[str, Any]) -> Any:
    file = _handles(connection).take(params["handleId"])
    if file is not None:
        await file.aclose()
    return {}


METHODS = {
    "fs/open": Method(
        file_struct(
            "FsOpenParams",
            {"handleId": (text, REQUIRED), "path": (path, REQUIRED), "mode": (word("read", "replace"), "read")},
        ),
        _open,
        NEEDS,
        lane=lane,
    ),
    "fs/readBlock": Method(
        struct(
            "FsReadBlockParams", {"handleId": (text, REQUIRED), "offset": (whole, REQUIRED), "len": (size, REQUIRED)}
        ),
        _read_block,
        NEEDS,
        lane=lane,
    ),
    "fs/writeBlock": Method(
        struct(
            "FsWriteBlockParams", {"handleId": (text, REQUIRED), "offset": (whole, REQUIRED), "chunk": (data, REQUIRED)}
        ),
        _write_block,
        NEEDS,
        lane=lane,
    ),
    "fs/close": Method(struct("FsCloseParams", {"handleId": (text, REQUIRED)}), _close, NEEDS, lane=lane),
}
