"""An open local file, for implementations of the file system port."""

from __future__ import annotations

import os

from codex_hookspecs.errors import FileSystemError


class DescriptorFile:
    """An :class:`~codex_hookspecs.ports.environment.OpenFile` behind a descriptor, which it closes.

    :param path: for errors.
    """

    def __init__(self, descriptor: int, path: str) -> None:
        self._descriptor = descriptor
        self._path = path

    async def read(self, offset: int, length: int) -> bytes:
        """Return bytes from an offset on."""
        try:
            data = os.pread(self._descriptor, length, offset)
            while len(data) < length and (more := os.pread(self._descriptor, length - len(data), offset + len(data))):
                data += more
        except OSError as error:
            raise self._failure(error) from error
        return data

    async def write(self, offset: int, data: bytes) -> None:
        """Write bytes at an offset."""
        try:
            view = memoryview(data)
            while view:
                count = os.pwrite(self._descriptor, view, offset)
                view, offset = view[count:], offset + count
        except OSError as error:
            raise self._failure(error) from error

    async def aclose(self) -> None:
        """Close the file; may be called twice."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def _failure(self, error: OSError) -> FileSystemError:
        number = error.errno or 0
        return FileSystemError(f"{os.strerror(number)} (os error {number})", path=self._path, errno=number)
