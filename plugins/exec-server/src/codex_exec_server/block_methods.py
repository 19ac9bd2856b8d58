"""Handle ``fs/open``, ``fs/readBlock``, ``fs/writeBlock`` and ``fs/close``: files read and written in blocks."""

from __future__ import annotations

import asyncio
import errno
import os
from typing import TYPE_CHECKING, Any

from codex_exec_server.base64_text import encode_base64
from codex_exec_server.connection import Connection, Method
from codex_exec_server.decoding import REQUIRED, data, path, size, string, struct, unsigned, variant
from codex_exec_server.file_methods import NEEDS, NOT_FOUND, file_struct, order_key, os_error_to_rpc, to_rpc_error
from codex_exec_server.messages import Encoded
from codex_hookspecs.errors import FileSystemError, RpcError

if TYPE_CHECKING:
    from codex_hookspecs.environments import OpenFile

MAX_HANDLES = 128
MAX_ID_BYTES = 32
MAX_BLOCK = 1024 * 1024
_LARGEST_OFFSET = 2**63 - 1 - MAX_BLOCK


class Handles:
    """The open files of a connection, by handle id."""

    def __init__(self) -> None:
        self._open: dict[str, OpenFile] = {}

    def require_free(self, handle: str) -> None:
        """Check that a new id can be used.

        :raises RpcError: when it is too long or taken, or when too many files are open.
        """
        if len(handle.encode("utf-8", "surrogatepass")) > MAX_ID_BYTES:
            raise RpcError(f"file handle ID must not exceed {MAX_ID_BYTES} bytes")
        if handle in self._open:
            raise RpcError(f"file handle `{handle}` already exists")
        if len(self._open) >= MAX_HANDLES:
            raise RpcError(f"at most {MAX_HANDLES} file handles may be open per connection")

    def keep(self, handle: str, file: OpenFile) -> None:
        """Register an open file under an id."""
        self._open[handle] = file

    def find(self, handle: str) -> OpenFile:
        """Return the open file of an id.

        :raises RpcError: when there is none.
        """
        file = self._open.get(handle)
        if file is None:
            raise RpcError(f"unknown file handle `{handle}`", code=NOT_FOUND)
        return file

    def take(self, handle: str) -> OpenFile | None:
        """Remove and return the open file of an id, ``None`` when there is none."""
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
    files = connection.server.files(params["sandbox"], writes=replace, keep_open=True)
    try:
        handles.keep(handle, await files.open(params["path"], replace=replace))
    except FileSystemError as error:
        raise to_rpc_error(error) from error
    return {"handleId": handle}


async def _read_block(connection: Connection, params: dict[str, Any]) -> Any:
    length, offset = params["len"], params["offset"]
    if not 1 <= length <= MAX_BLOCK:
        raise RpcError(f"file read block length must be between 1 and {MAX_BLOCK}")
    handles, handle = _handles(connection), params["handleId"]
    file = handles.find(handle)
    if offset > _LARGEST_OFFSET:
        return _block(b"", length)
    try:
        return _block(await file.read(offset, length), length)
    except FileSystemError as error:  # After a read error the handle is of no further use.
        handles.take(handle)
        await file.aclose()
        raise to_rpc_error(error) from error


def _block(block: bytes, length: int) -> Encoded:
    end = b'","eof":true}' if len(block) < length else b'","eof":false}'
    return Encoded((b'{"chunk":"', encode_base64(block), end))


async def _write_block(connection: Connection, params: dict[str, Any]) -> Any:
    block, offset = params["chunk"], params["offset"]
    if not 1 <= len(block) <= MAX_BLOCK:
        raise RpcError(f"file write block length must be between 1 and {MAX_BLOCK}")
    file = _handles(connection).find(params["handleId"])
    if offset > _LARGEST_OFFSET:
        raise os_error_to_rpc(OSError(errno.EINVAL, os.strerror(errno.EINVAL)))
    try:
        await file.write(offset, block)
    except FileSystemError as error:
        raise to_rpc_error(error) from error
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
            {"handleId": (string, REQUIRED), "path": (path, REQUIRED), "mode": (variant("read", "replace"), "read")},
        ),
        _open,
        NEEDS,
        order_key=order_key,
    ),
    "fs/readBlock": Method(
        struct(
            "FsReadBlockParams",
            {"handleId": (string, REQUIRED), "offset": (unsigned, REQUIRED), "len": (size, REQUIRED)},
        ),
        _read_block,
        NEEDS,
        order_key=order_key,
    ),
    "fs/writeBlock": Method(
        struct(
            "FsWriteBlockParams",
            {"handleId": (string, REQUIRED), "offset": (unsigned, REQUIRED), "chunk": (data, REQUIRED)},
        ),
        _write_block,
        NEEDS,
        order_key=order_key,
    ),
    "fs/close": Method(struct("FsCloseParams", {"handleId": (string, REQUIRED)}), _close, NEEDS, order_key=order_key),
}
