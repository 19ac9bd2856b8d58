"""The file system port for the ``apply_patch`` program: synchronous, writing in place, inside of its sandbox."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from codex_hookspecs.environments import DescriptorFile, DirectoryEntry, FileMetadata
from codex_hookspecs.errors import FileSystemError

if TYPE_CHECKING:
    from codex_hookspecs.environments import FileScope, FileSystem, FileWatch, OpenFile

T = TypeVar("T")


class PlainFiles:
    """Files by absolute path."""

    def within(self, scope: FileScope) -> FileSystem:
        """Return the same file system: the sandbox of the program enforces the policy."""
        return self

    async def read_file(self, path: str, *, limit: int | None = None) -> bytes:
        """Return the content of a regular file."""
        return _attempt(path, lambda: _read(path, limit))

    async def write_file(self, path: str, data: bytes) -> None:
        """Replace or create a file, keeping its mode, owner and links."""
        _attempt(path, lambda: _write(path, data))

    async def open(self, path: str, *, replace: bool = False) -> OpenFile:
        """Open a regular file for reading, or with ``replace`` truncated for writing."""
        return DescriptorFile(_attempt(path, lambda: _open(path, replace=replace)), path)

    async def create_directory(self, path: str, *, recursive: bool = True) -> None:
        """Create a directory."""
        _attempt(path, (lambda: os.makedirs(path, exist_ok=True)) if recursive else (lambda: os.mkdir(path)))

    async def metadata(self, path: str) -> FileMetadata:
        """Return the metadata of a path."""
        return _attempt(path, lambda: _metadata(path))

    async def canonicalize(self, path: str) -> str:
        """Return the path with all symlinks resolved."""
        return _attempt(path, lambda: os.path.realpath(path, strict=True))

    async def read_directory(self, path: str) -> Sequence[DirectoryEntry]:
        """Return the entries of a directory."""
        return _attempt(path, lambda: _entries(path))

    async def remove(self, path: str, *, recursive: bool = True, force: bool = True) -> None:
        """Remove a file, symlink or tree."""
        _attempt(path, lambda: _remove(path, recursive=recursive, force=force))

    async def copy(self, source: str, destination: str, *, recursive: bool = False) -> None:
        """Copy a file with its mode, or a tree."""
        _attempt(source, lambda: (shutil.copytree if recursive else shutil.copy)(source, destination))

    async def watch(self, path: str) -> FileWatch:
        """Refuse to watch a path: not needed to apply a patch."""
        raise FileSystemError("not supported", path=path)


def _read(path: str, limit: int | None) -> bytes:
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise FileSystemError(f"path `{path}` is not a file", path=path)
    with open(path, "rb") as file:
        return file.read(-1 if limit is None else limit)


def _open(path: str, *, replace: bool) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC if replace else os.O_RDONLY
    descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise FileSystemError(f"path `{path}` is not a file", path=path)
    return descriptor


def _metadata(path: str) -> FileMetadata:
    link, found = os.lstat(path), os.stat(path)
    return FileMetadata(
        is_directory=stat.S_ISDIR(found.st_mode),
        is_file=stat.S_ISREG(found.st_mode),
        is_symlink=stat.S_ISLNK(link.st_mode),
        size=found.st_size,
    )


def _entries(path: str) -> list[DirectoryEntry]:
    with os.scandir(path) as scan:
        return [DirectoryEntry(entry.name, entry.is_dir(), is_file=entry.is_file()) for entry in scan]


def _write(path: str, data: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NONBLOCK | os.O_CLOEXEC
    with open(os.open(path, flags, 0o666), "wb") as file:
        file.write(data)


def _remove(path: str, *, recursive: bool, force: bool) -> None:
    try:
        if not os.path.isdir(path) or os.path.islink(path):
            os.unlink(path)
        elif recursive:
            shutil.rmtree(path)
        else:
            os.rmdir(path)
    except FileNotFoundError:
        if not force:
            raise


def _attempt(path: str, work: Callable[[], T]) -> T:
    try:
        return work()
    except OSError as error:
        text = f"{error.strerror} (os error {error.errno})"
        raise FileSystemError(text, path=path, errno=error.errno) from error
    except ValueError as error:
        raise FileSystemError(f"path `{path!r}` can't be used: {error}", path=path) from error
