"""Read and write files block by block (``fs/open``, ``fs/readBlock``, ``fs/writeBlock``, ``fs/close``)."""

from __future__ import annotations

import asyncio
import errno
import os
import stat
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from codex_exec_server.base64_text import encode_base64
from codex_exec_server.connection import Connection, Method
from codex_exec_server.decoding import REQUIRED, data, path, size, struct, text, whole, word
from codex_exec_server.file_methods import NEEDS, NOT_FOUND, file_struct, lane, os_refusal, translated
from codex_exec_server.messages import Encoded
from codex_hookspecs.errors import FileSystemError, RpcError

if TYPE_CHECKING:
    from codex_exec_server.boxed import Box, BoxedFiles

MOST_HANDLES = 128
MOST_ID_BYTES = 32
MOST_BLOCK = 1024 * 1024
_LARGEST_OFFSET = 2**63 - 1 - MOST_BLOCK


class Handles:
    """The files that one connection has open: descriptors, or programs that work on them inside of a sandbox."""

    def __init__(self) -> None:
        self._open: dict[str, int | Box] = {}

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

    def keep(self, handle: str, file: int | Box) -> None:
        """Keep an open file under an id."""
        self._open[handle] = file

    def find(self, handle: str) -> int | Box:
        """Return an open file.

        :raises RpcError: when there is none of that id.
        """
        file = self._open.get(handle)
        if file is None:
            raise RpcError(f"unknown file handle `{handle}`", code=NOT_FOUND)
        return file

    def take(self, handle: str) -> int | Box | None:
        """Return an open file, if there is one, and forget it."""
        return self._open.pop(handle, None)

    async def aclose(self) -> None:
        """Close all files."""
        files, self._open = list(self._open.values()), {}
        await asyncio.gather(*(closing for file in files if (closing := _closing(file)) is not None))


def _handles(connection: Connection) -> Handles:
    found = connection.resources.get("handles")
    if found is None:
        found = connection.resources["handles"] = Handles()
    handles: Handles = found
    return handles


def _open(connection: Connection, params: dict[str, Any]) -> Any:
    handles, handle, replace = _handles(connection), params["handleId"], params["mode"] == "replace"
    handles.require_free(handle)
    if params["sandbox"] is not None:
        files = connection.server.files(params["sandbox"], writes=replace, whole=False)
        if files is not connection.server.environment.files:
            return _open_boxed(handles, handle, files, params["path"], replace=replace)  # type: ignore[arg-type]
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC if replace else os.O_RDONLY
    try:
        descriptor = os.open(params["path"], flags | os.O_CLOEXEC | os.O_NONBLOCK, 0o666)
    except OSError as error:
        raise os_refusal(error) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise RpcError(f"path `{params['path']}` is not a file")
    handles.keep(handle, descriptor)
    return {"handleId": handle}


async def _open_boxed(handles: Handles, handle: str, files: BoxedFiles, path: str, *, replace: bool) -> Any:
    try:
        handles.keep(handle, await files.open(path, replace=replace))
    except FileSystemError as error:
        raise translated(error) from error
    return {"handleId": handle}


def _read_block(connection: Connection, params: dict[str, Any]) -> Any:
    length, offset = params["len"], params["offset"]
    if not 1 <= length <= MOST_BLOCK:
        raise RpcError(f"file read block length must be between 1 and {MOST_BLOCK}")
    handles, handle = _handles(connection), params["handleId"]
    file = handles.find(handle)
    if offset > _LARGEST_OFFSET:
        return _block(b"", length)
    if not isinstance(file, int):
        return _read_boxed(handles, handle, file, offset, length)
    try:
        block = os.pread(file, length, offset)
        while len(block) < length and (more := os.pread(file, length - len(block), offset + len(block))):
            block += more
    except OSError as error:  # What can't be read is of no more use.
        handles.take(handle)
        os.close(file)
        raise os_refusal(error) from error
    return _block(block, length)


async def _read_boxed(handles: Handles, handle: str, box: Box, offset: int, length: int) -> Any:
    try:
        return _block((await box.work("read_block", "", offset=offset, length=length))[1], length)
    except FileSystemError as error:
        handles.take(handle)
        await box.aclose()
        raise translated(error) from error


def _block(block: bytes, length: int) -> Encoded:
    end = b'","eof":true}' if len(block) < length else b'","eof":false}'
    return Encoded((b'{"chunk":"', encode_base64(block), end))


def _write_block(connection: Connection, params: dict[str, Any]) -> Any:
    block, offset = params["chunk"], params["offset"]
    if not 1 <= len(block) <= MOST_BLOCK:
        raise RpcError(f"file write block length must be between 1 and {MOST_BLOCK}")
    file = _handles(connection).find(params["handleId"])
    if offset > _LARGEST_OFFSET:
        raise os_refusal(OSError(errno.EINVAL, os.strerror(errno.EINVAL)))
    if not isinstance(file, int):
        return _write_boxed(file, offset, block)
    try:
        view = memoryview(block)
        while view:
            count = os.pwrite(file, view, offset)
            view, offset = view[count:], offset + count
    except OSError as error:
        raise os_refusal(error) from error
    return {}


async def _write_boxed(box: Box, offset: int, block: bytes) -> Any:
    try:
        await box.work("write_block", "", block, offset=offset)
    except FileSystemError as error:
        raise translated(error) from error
    return {}


def _close(connection: Connection, params: dict[str, Any]) -> Any:
    file = _handles(connection).take(params["handleId"])
    closing = _closing(file) if file is not None else None
    return _closed(closing) if closing is not None else {}


async def _closed(closing: Coroutine[Any, Any, None]) -> Any:
    await closing
    return {}


def _closing(file: int | Box) -> Coroutine[Any, Any, None] | None:
    """Close a file; return what has to be awaited for that, if anything."""
    if not isinstance(file, int):
        return file.aclose()
    os.close(file)
    return None


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
