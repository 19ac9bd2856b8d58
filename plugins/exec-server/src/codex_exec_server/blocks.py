"""Read and write files block by block (``fs/open``, ``fs/readBlock``, ``fs/writeBlock``, ``fs/close``)."""

from __future__ import annotations

import errno
import os
import stat
from typing import Any

from codex_exec_server.base64_text import encode_base64
from codex_exec_server.connection import Connection, Method
from codex_exec_server.decoding import REQUIRED, data, path, text, whole, word
from codex_exec_server.file_methods import NEEDS, NOT_FOUND, file_struct, lane
from codex_exec_server.messages import Encoded
from codex_exec_server.sandbox import read_sandbox, require_writable
from codex_hookspecs.errors import RpcError

MOST_HANDLES = 128
MOST_ID_BYTES = 32
MOST_BLOCK = 1024 * 1024


class Handles:
    """The files that one connection has open."""

    def __init__(self) -> None:
        self._open: dict[str, int] = {}

    def open(self, handle: str, path: str, *, replace: bool) -> None:
        """Open a regular file.

        :raises RpcError: when the id or the file can't be used.
        """
        if len(handle.encode("utf-8", "surrogatepass")) > MOST_ID_BYTES:
            raise RpcError(f"file handle ID must not exceed {MOST_ID_BYTES} bytes")
        if handle in self._open:
            raise RpcError(f"file handle `{handle}` already exists")
        if len(self._open) >= MOST_HANDLES:
            raise RpcError(f"at most {MOST_HANDLES} file handles may be open per connection")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC if replace else os.O_RDONLY
        try:
            descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NONBLOCK, 0o666)
        except OSError as error:
            raise _failed(error) from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise RpcError(f"path `{path}` is not a file")
        self._open[handle] = descriptor

    def read(self, handle: str, offset: int, length: int) -> tuple[bytes, bool]:
        """Return a block and whether the file ended in it; a handle that can't be read is closed."""
        descriptor = self._find(handle)
        try:
            block = os.pread(descriptor, length, offset)
            while len(block) < length and (more := os.pread(descriptor, length - len(block), offset + len(block))):
                block += more
            return block, len(block) < length
        except OSError as error:
            self.close(handle)
            raise _failed(error) from error
        except OverflowError:
            return b"", True

    def write(self, handle: str, offset: int, block: bytes) -> None:
        """Write a block."""
        descriptor = self._find(handle)
        try:
            view = memoryview(block)
            while view:
                count = os.pwrite(descriptor, view, offset)
                view, offset = view[count:], offset + count
        except OSError as error:
            raise _failed(error) from error
        except OverflowError:
            raise _failed(OSError(errno.EINVAL, os.strerror(errno.EINVAL))) from None

    def close(self, handle: str) -> None:
        """Close a file, if it is open."""
        descriptor = self._open.pop(handle, None)
        if descriptor is not None:
            os.close(descriptor)

    async def aclose(self) -> None:
        """Close all files."""
        for handle in list(self._open):
            self.close(handle)

    def _find(self, handle: str) -> int:
        descriptor = self._open.get(handle)
        if descriptor is None:
            raise RpcError(f"unknown file handle `{handle}`", code=NOT_FOUND)
        return descriptor


def _failed(error: OSError) -> RpcError:
    code = NOT_FOUND if error.errno == errno.ENOENT else -32603
    return RpcError(f"{error.strerror} (os error {error.errno})", code=code)


def _handles(connection: Connection) -> Handles:
    found = connection.resources.get("handles")
    if found is None:
        found = connection.resources["handles"] = Handles()
    handles: Handles = found
    return handles


def _open(connection: Connection, params: dict[str, Any]) -> Any:
    replace = params["mode"] == "replace"
    if replace:
        require_writable(read_sandbox(params["sandbox"]), params["path"])
    _handles(connection).open(params["handleId"], params["path"], replace=replace)
    return {"handleId": params["handleId"]}


def _read_block(connection: Connection, params: dict[str, Any]) -> Any:
    if not 1 <= params["len"] <= MOST_BLOCK:
        raise RpcError(f"file read block length must be between 1 and {MOST_BLOCK}")
    block, eof = _handles(connection).read(params["handleId"], params["offset"], params["len"])
    end = b'","eof":true}' if eof else b'","eof":false}'
    return Encoded((b'{"chunk":"', encode_base64(block), end))


def _write_block(connection: Connection, params: dict[str, Any]) -> Any:
    if not 1 <= len(params["chunk"]) <= MOST_BLOCK:
        raise RpcError(f"file write block length must be between 1 and {MOST_BLOCK}")
    _handles(connection).write(params["handleId"], params["offset"], params["chunk"])
    return {}


def _close(connection: Connection, params: dict[str, Any]) -> Any:
    _handles(connection).close(params["handleId"])
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
        file_struct(
            "FsReadBlockParams", {"handleId": (text, REQUIRED), "offset": (whole, REQUIRED), "len": (whole, REQUIRED)}
        ),
        _read_block,
        NEEDS,
        lane=lane,
    ),
    "fs/writeBlock": Method(
        file_struct(
            "FsWriteBlockParams", {"handleId": (text, REQUIRED), "offset": (whole, REQUIRED), "chunk": (data, REQUIRED)}
        ),
        _write_block,
        NEEDS,
        lane=lane,
    ),
    "fs/close": Method(file_struct("FsCloseParams", {"handleId": (text, REQUIRED)}), _close, NEEDS, lane=lane),
}
