"""The file system of this machine behind the environment port; what may take long runs on a few worker threads."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from codex_exec_local import trees
from codex_exec_local.oserrors import file_error
from codex_hookspecs.errors import FileSystemError
from codex_hookspecs.types.environment import DirectoryEntry, FileMetadata

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

_INLINE_BYTES = 256 * 1024
_WORKERS = 4

T = TypeVar("T")


class LocalFileSystem:
    """Files by absolute path."""

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None

    async def read_file(self, path: str, *, limit: int | None = None) -> bytes:
        """Return the content of a regular file, at most ``limit`` bytes of it."""
        small = _attempt(path, lambda: trees.regular_size(path)) <= _INLINE_BYTES
        return await self._run(path, lambda: trees.read(path, limit), inline=small)

    async def write_file(self, path: str, data: bytes) -> None:
        """Replace or create a file as a whole; its mode is kept, a link stays and its target is written."""
        await self._run(path, lambda: trees.write(path, data), inline=len(data) <= _INLINE_BYTES)

    async def create_directory(self, path: str, *, recursive: bool = True) -> None:
        """Create a directory."""
        make = (lambda: os.makedirs(path, exist_ok=True)) if recursive else (lambda: os.mkdir(path))
        _attempt(path, make)

    async def metadata(self, path: str) -> FileMetadata:
        """Return what is known of a path."""
        return _attempt(path, lambda: trees.metadata(path))

    async def canonicalize(self, path: str) -> str:
        """Return the path with all links resolved."""
        return _attempt(path, lambda: os.path.realpath(path, strict=True))

    async def read_directory(self, path: str) -> Sequence[DirectoryEntry]:
        """Return the names in a directory, unsorted."""
        return await self._run(path, lambda: trees.entries(path))

    async def remove(self, path: str, *, recursive: bool = True, force: bool = True) -> None:
        """Remove a file, link or tree."""
        tree = _attempt(path, lambda: os.path.isdir(path) and not os.path.islink(path))
        await self._run(path, lambda: trees.remove(path, recursive=recursive, force=force), inline=not tree)

    async def copy(self, source: str, destination: str, *, recursive: bool = False) -> None:
        """Copy a file, or with ``recursive`` a tree."""
        await self._run(source, lambda: trees.copy(source, destination, recursive=recursive))

    def close(self) -> None:
        """Let go of the worker threads."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None

    async def _run(self, path: str, work: Callable[[], T], *, inline: bool = False) -> T:
        if inline:
            return _attempt(path, work)
        if self._pool is None:
            from concurrent.futures import ThreadPoolExecutor

            self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="files")
        return await asyncio.get_running_loop().run_in_executor(self._pool, _attempt, path, work)


def _attempt(path: str, work: Callable[[], T]) -> T:
    """Do some file work.

    :raises FileSystemError: with the operating system's text.
    """
    if not path.startswith("/"):
        raise FileSystemError(f"path `{path}` is not absolute", path=path)
    try:
        return work()
    except OSError as error:
        raise file_error(error, path) from error
    except ValueError as error:
        raise FileSystemError(f"path `{path!r}` can't be used: {error}", path=path) from error
