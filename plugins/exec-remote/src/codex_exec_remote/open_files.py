"""Open files of a remote environment: accessed in blocks, or as a whole where the server does not support blocks."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any, Final

from codex_exec_remote.file_calls import call_files, decode_content

if TYPE_CHECKING:
    from codex_exec_remote.client import Client
    from codex_hookspecs.environments import FileSystem

BLOCK_BYTES: Final = 1024 * 1024


class RemoteFile:
    """A file that the server keeps open under a handle."""

    def __init__(self, client: Client, path: str, handle: str) -> None:
        self._client = client
        self._path = path
        self._handle = handle
        self._closed = False

    async def read(self, offset: int, length: int) -> bytes:
        """Read from an offset."""
        blocks: list[bytes] = []
        end = offset + length
        while offset < end:
            found = await self._call("fs/readBlock", offset=offset, len=min(BLOCK_BYTES, end - offset))
            blocks.append(decode_content(found.get("chunk"), self._path))
            offset += len(blocks[-1])
            if found.get("eof") or not blocks[-1]:
                break
        return b"".join(blocks)

    async def write(self, offset: int, data: bytes) -> None:
        """Write bytes at an offset."""
        for start in range(0, len(data), BLOCK_BYTES):
            chunk = b64encode(data[start : start + BLOCK_BYTES]).decode()
            await self._call("fs/writeBlock", offset=offset + start, chunk=chunk)

    async def aclose(self) -> None:
        """Close the file; may be called twice."""
        if not self._closed:
            self._closed = True
            await self._call("fs/close")

    def drop(self) -> None:
        """Close the file without waiting for the server."""
        if not self._closed:
            self._closed = True
            self._client.post("fs/close", {"handleId": self._handle})

    async def _call(self, method: str, **params: Any) -> dict[str, Any]:
        return await call_files(self._client, method, self._path, {"handleId": self._handle, **params})


class WholeFile:
    """A file that is read, and written back after a change, as a whole each time."""

    def __init__(self, files: FileSystem, path: str) -> None:
        self._files = files
        self._path = path

    async def read(self, offset: int, length: int) -> bytes:
        """Read from an offset."""
        return (await self._files.read_file(self._path, limit=offset + length))[offset:]

    async def write(self, offset: int, data: bytes) -> None:
        """Write bytes at an offset."""
        before = await self._files.read_file(self._path)
        await self._files.write_file(
            self._path, before[:offset].ljust(offset, b"\0") + data + before[offset + len(data) :]
        )

    async def aclose(self) -> None:
        """Close the file."""
