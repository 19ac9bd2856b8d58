"""Files of this machine, under a policy where one is given."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from codex_hookspecs.environments import (
    DescriptorFile,
    DirectoryEntry,
    FileMetadata,
    FileScope,
    FileSystemError,
    FileWatch,
)

T = TypeVar("T")


class Files:
    """Each method does its work in a thread, on what it has really opened.

    :param scope: what the policy allows; everything when ``None``.
    """

    def __init__(self, scope: FileScope | None = None) -> None:
        self._scope = scope

    def within(self, scope: FileScope) -> Files:
        return Files(None if scope.unrestricted else scope)

    async def read_file(self, path: str, *, limit: int | None = None) -> bytes:
        return await _in_thread(path, lambda: self._read(path, limit))

    async def write_file(self, path: str, data: bytes) -> None:
        await _in_thread(path, lambda: self._write(path, data))

    async def open(self, path: str, *, replace: bool = False) -> DescriptorFile:
        work = self._open_emptied if replace else self._open
        return DescriptorFile(await _in_thread(path, lambda: work(path)), path)

    async def create_directory(self, path: str, *, recursive: bool = True) -> None:
        await _in_thread(path, lambda: self._make(path, recursive=recursive))

    async def metadata(self, path: str) -> FileMetadata:
        return await _in_thread(path, lambda: self._metadata(path))

    async def canonicalize(self, path: str) -> str:
        return await _in_thread(path, lambda: self._readable(os.path.realpath(path, strict=True)))

    async def read_directory(self, path: str) -> Sequence[DirectoryEntry]:
        return await _in_thread(path, lambda: self._entries(path))

    async def remove(self, path: str, *, recursive: bool = True, force: bool = True) -> None:
        await _in_thread(path, lambda: self._remove(path, recursive=recursive, force=force))

    async def copy(self, source: str, destination: str, *, recursive: bool = False) -> None:
        await _in_thread(source, lambda: self._copy(source, destination, recursive=recursive))

    async def watch(self, path: str) -> FileWatch:
        raise FileSystemError("this environment can't watch files", path=path)

    def _read(self, path: str, limit: int | None) -> bytes:
        with open(self._open(path), "rb") as file:
            return file.read(-1 if limit is None else limit)

    def _write(self, path: str, data: bytes) -> None:
        with open(self._open_emptied(path), "wb") as file:
            file.write(data)

    def _open(self, path: str) -> int:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            self._readable(_opened(descriptor))
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise FileSystemError(f"path `{path}` is not a file", path=path)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _open_emptied(self, path: str) -> int:
        with self._place(os.path.realpath(path)) as (folder, name, real):
            self._check(self._scope is None or self._scope.may_write(real))
            with contextlib.suppress(FileNotFoundError):
                mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
                if stat.S_ISDIR(mode):
                    raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            return os.open(name, flags, 0o666, dir_fd=folder)

    def _make(self, path: str, *, recursive: bool) -> None:
        real = os.path.realpath(path)
        if recursive and os.path.isdir(real):
            return
        if recursive and not os.path.isdir(os.path.dirname(real)):
            self._make(os.path.dirname(real), recursive=True)
        with self._place(real) as (folder, name, there):
            self._check(self._scope is None or self._scope.may_create(there))
            os.mkdir(name, dir_fd=folder)

    def _metadata(self, path: str) -> FileMetadata:
        self._readable(os.path.realpath(path))
        found = os.stat(path)
        return FileMetadata(
            is_directory=stat.S_ISDIR(found.st_mode),
            is_file=stat.S_ISREG(found.st_mode),
            is_symlink=os.path.islink(path),
            size=found.st_size,
            modified_at_ms=found.st_mtime_ns // 1_000_000,
        )

    def _entries(self, path: str) -> list[DirectoryEntry]:
        self._readable(os.path.realpath(path))
        with os.scandir(path) as found:
            return [
                DirectoryEntry(entry.name, entry.is_dir(), is_file=entry.is_file())
                for entry in found
                if os.path.exists(entry.path)
            ]

    def _remove(self, path: str, *, recursive: bool, force: bool) -> None:
        parent, name = os.path.split(os.path.normpath(path))
        real = os.path.join(os.path.realpath(parent), name)
        if not os.path.lexists(real) and force:
            return
        with self._place(real) as (folder, _, there):
            directory = stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
            empty = directory and not recursive
            self._check(
                self._scope is None or self._scope.may_remove(there) or (empty and self._scope.may_create(there))
            )
            if not directory:
                os.unlink(name, dir_fd=folder)
            elif recursive:
                shutil.rmtree(name, dir_fd=folder)
            else:
                os.rmdir(name, dir_fd=folder)

    def _copy(self, source: str, destination: str, *, recursive: bool) -> None:
        if os.path.islink(source):
            parent, name = os.path.split(destination)
            with self._place(os.path.join(os.path.realpath(parent), name)) as (folder, _, there):
                self._check(self._scope is None or self._scope.may_write(there))
                os.symlink(os.readlink(source), name, dir_fd=folder)
        elif os.path.isdir(source):
            if not recursive:
                raise FileSystemError(f"path `{source}` is a directory; copying it takes recursive: true", path=source)
            outer, inner = os.path.realpath(source), os.path.realpath(destination)
            if os.path.commonpath([outer, inner]) == outer:
                raise FileSystemError(f"path `{source}` can't be copied into itself", path=source)
            self._make(destination, recursive=True)
            for name in os.listdir(source):
                self._copy(os.path.join(source, name), os.path.join(destination, name), recursive=True)
        else:
            self._write(destination, self._read(source, None))

    @contextlib.contextmanager
    def _place(self, real: str) -> Iterator[tuple[int, str, str]]:
        """Open the directory of a path; what is done there is done in that very directory, whatever is at its path."""
        folder = os.open(os.path.dirname(real), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            name = os.path.basename(real)
            yield folder, name, os.path.join(_opened(folder), name)
        finally:
            os.close(folder)

    def _readable(self, real: str) -> str:
        if self._scope is not None and not self._scope.may_read(real):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return real

    def _check(self, allowed: bool) -> None:
        if not allowed:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))


def _opened(descriptor: int) -> str:
    return os.readlink(f"/proc/self/fd/{descriptor}")


async def _in_thread(path: str, work: Callable[[], T]) -> T:
    if not path.startswith("/"):
        raise FileSystemError(f"path `{path}` is not absolute", path=path)
    try:
        return await asyncio.to_thread(work)
    except OSError as error:
        text = f"{os.strerror(error.errno or 0)} (os error {error.errno})"
        raise FileSystemError(text, path=path, errno=error.errno) from error
