"""The file system of this machine; operations that may take long run on a few worker threads."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from codex_exec_local import file_operations
from codex_exec_local.oserrors import file_error
from codex_exec_local.verified_open import (
    Allowed,
    make_directories,
    open_parent,
    open_regular,
    open_to_read,
    open_to_replace,
    real_path,
    require_readable,
)
from codex_hookspecs.environments import DirectoryEntry, FileMetadata
from codex_hookspecs.errors import FileSystemError

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    from codex_exec_local.inotify import Inotify
    from codex_hookspecs.environments import FileScope, FileSystem, FileWatch, OpenFile

_INLINE_BYTES = 256 * 1024
_WORKERS = 4

T = TypeVar("T")


class LocalFileSystem:
    """Files by absolute path.

    :param scope: the access that a policy allows; ``None`` allows everything.
    """

    def __init__(self, scope: FileScope | None = None, workers: _Workers | None = None) -> None:
        self._workers = workers or _Workers()
        limited = scope is not None and not scope.unrestricted
        self._readable: Allowed = scope.may_read if scope is not None and scope.readable is not None else None
        self._writable: Allowed = scope.may_write if limited and scope is not None else None
        self._creatable: Allowed = scope.may_create if limited and scope is not None else None
        self._removable: Allowed = scope.may_remove if limited and scope is not None else None

    def within(self, scope: FileScope) -> FileSystem:
        """Return the same file system, restricted to what a policy allows."""
        return self if scope.unrestricted else LocalFileSystem(scope, self._workers)

    async def read_file(self, path: str, *, limit: int | None = None) -> bytes:
        """Return the content of a regular file, at most ``limit`` bytes of it."""
        file = _attempt(path, lambda: open_regular(path, self._readable))
        size = os.fstat(file.fileno()).st_size
        small = (size if limit is None else min(size, limit)) <= _INLINE_BYTES
        return await self._run(path, lambda: _read(file, limit), inline=small)

    async def write_file(self, path: str, data: bytes) -> None:
        """Replace or create a file atomically; its mode is kept, and the target of a link is written."""
        from codex_exec_local.atomic_write import write  # most turns write nothing

        await self._run(
            path, lambda: write(path, data, self._writable, self._removable), inline=len(data) <= _INLINE_BYTES
        )

    async def open(self, path: str, *, replace: bool = False) -> OpenFile:
        """Open a regular file for reading at any offset, or with ``replace`` for writing, truncated."""
        from codex_hookspecs.environments import DescriptorFile  # Not needed in ordinary turns.

        if replace:
            return DescriptorFile(_attempt(path, lambda: open_to_replace(path, self._writable)), path)
        return DescriptorFile(_attempt(path, lambda: open_to_read(path, self._readable)), path)

    async def create_directory(self, path: str, *, recursive: bool = True) -> None:
        """Create a directory."""
        if recursive:
            _attempt(path, lambda: make_directories(path, self._creatable))
        else:
            _attempt(path, lambda: _make_directory(path, self._creatable))

    async def metadata(self, path: str) -> FileMetadata:
        """Return the metadata of a path."""
        return _attempt(path, lambda: file_operations.metadata(path, self._readable))

    async def canonicalize(self, path: str) -> str:
        """Return the path with all links resolved."""
        return _attempt(path, lambda: file_operations.canonical(path, self._readable))

    async def read_directory(self, path: str) -> Sequence[DirectoryEntry]:
        """Return the entries of a directory, unsorted."""
        return await self._run(path, lambda: file_operations.entries(path, self._readable))

    async def remove(self, path: str, *, recursive: bool = True, force: bool = True) -> None:
        """Remove a file, link or tree."""
        tree = _attempt(path, lambda: os.path.isdir(path) and not os.path.islink(path))
        await self._run(
            path,
            lambda: file_operations.remove(
                path, recursive=recursive, force=force, allowed=self._removable, empty=self._creatable
            ),
            inline=not tree,
        )

    async def copy(self, source: str, destination: str, *, recursive: bool = False) -> None:
        """Copy a file, or with ``recursive`` a tree."""
        await self._run(
            source,
            lambda: file_operations.copy(
                source, destination, recursive=recursive, readable=self._readable, writable=self._writable
            ),
        )

    async def watch(self, path: str) -> FileWatch:
        """Watch a path."""
        from codex_exec_local.watching import open_watch  # Not needed in ordinary turns.

        if self._readable is not None:
            _attempt(path, lambda: require_readable(self._readable, real_path(path)))
        return _attempt(path, lambda: open_watch(path, self._workers.watched(), self._workers.pool))

    def close(self) -> None:
        """Stop the worker threads and the watches."""
        self._workers.close()

    async def _run(self, path: str, work: Callable[[], T], *, inline: bool = False) -> T:
        if inline:
            return _attempt(path, work)
        return await asyncio.get_running_loop().run_in_executor(self._workers.pool(), _attempt, path, work)


class _Workers:
    """A thread pool for file operations and an inotify instance, created when they are first needed."""

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._inotify: Inotify | None = None

    def watched(self) -> Inotify:
        if self._inotify is None:
            from codex_exec_local.inotify import Inotify

            self._inotify = Inotify()
        return self._inotify

    def pool(self) -> ThreadPoolExecutor:
        if self._pool is None:
            from concurrent.futures import ThreadPoolExecutor

            self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="files")
        return self._pool

    def close(self) -> None:
        if self._inotify is not None:
            self._inotify.close()
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None


def _read(file: BinaryIO, limit: int | None) -> bytes:
    with file:
        return file.read(-1 if limit is None else limit)


def _make_directory(path: str, allowed: Allowed) -> None:
    with open_parent(path, allowed, follow=True) as (folder, name):
        os.mkdir(name, dir_fd=folder)


def _attempt(path: str, work: Callable[[], T]) -> T:
    """Run a file operation.

    :raises FileSystemError: when it fails, with the operating system's error message.
    """
    if not path.startswith("/"):
        raise FileSystemError(f"path `{path}` is not absolute", path=path)
    try:
        return work()
    except OSError as error:
        raise file_error(error, path) from error
    except ValueError as error:
        raise FileSystemError(f"path `{path!r}` can't be used: {error}", path=path) from error
