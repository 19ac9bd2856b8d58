"""Watch a path of this machine: by inotify, or by looking at it every second where that is not available."""

from __future__ import annotations

import asyncio
import os
import stat
from typing import TYPE_CHECKING, Final

from codex_exec_local.inotify import ATTRIB, CLOSE_WRITE, IGNORED, MODIFY, OVERFLOW, SELF_GONE

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

    from codex_exec_local.inotify import Inotify

    Version = tuple[int, ...] | None

LOOK_SECONDS: Final = 1.0
MAX_CHANGES: Final = 10_000
"""Changed children that are kept; of more, only the watched path is returned."""
_MAX_ENTRIES: Final = 100_000
"""Entries of a directory that are compared without inotify."""
_CONTENT: Final = MODIFY | ATTRIB | CLOSE_WRITE
_ATTEMPTS: Final = 5


def open_watch(path: str, inotify: Inotify, pool: Callable[[], Executor]) -> LocalWatch:
    """Watch a path.

    :param pool: returns the worker threads for looking at it without inotify.
    """
    watch = LocalWatch(path, inotify, pool)
    watch.follow()
    return watch


class LocalWatch:
    """A watch of one path."""

    def __init__(self, path: str, inotify: Inotify, pool: Callable[[], Executor]) -> None:
        self._path = path
        self._inotify = inotify
        self._pool = pool
        self._names: dict[int, set[str | None]] = {}
        self._version = _version(path)
        self._changed: set[str] = set()
        self._news = asyncio.Event()
        self._polling: asyncio.Task[None] | None = None
        self._closed = False

    async def changed(self, *, settle: float = 0) -> frozenset[str]:
        """Wait for changes."""
        await self._news.wait()
        if settle:
            await asyncio.sleep(settle)
        self._news.clear()
        found, self._changed = frozenset(self._changed), set()
        return found

    async def aclose(self) -> None:
        """End the watch."""
        self._closed = True
        self._unfollow(self._names)
        self._names = {}
        if self._polling is not None:
            self._polling.cancel()
            await asyncio.gather(self._polling, return_exceptions=True)

    def follow(self) -> None:
        """Watch the directories that the path depends on; look at the path regularly if inotify can't watch them."""
        if not self._follow() and self._polling is None:
            self._polling = asyncio.create_task(self._look(self._pool()))

    def on_change(self, watch: int, mask: int, name: str) -> None:
        """Process a change of a directory."""
        if self._closed:
            return
        if mask & OVERFLOW:
            self._add(self._path)
        for wanted in tuple(self._names.get(watch, ())):
            if wanted is None and name and not self._is_unnamed(name, mask):
                self._add(os.path.join(self._path, name))
            elif wanted is not None and wanted == name and mask & _CONTENT:
                self._look_again(always=True)
        if mask & (OVERFLOW | IGNORED | SELF_GONE) or (not mask & _CONTENT and name in self._names.get(watch, ())):
            self._look_again(always=False)
            self.follow()

    def _is_unnamed(self, name: str, mask: int) -> bool:
        """Return whether a name stands for a file without one (``O_TMPFILE``), as those that are yet to be renamed."""
        return (
            name.startswith("#")
            and name[1:].isdecimal()
            and not mask & ~_CONTENT
            and not os.path.lexists(os.path.join(self._path, name))
        )

    def _follow(self) -> bool:
        for _ in range(_ATTEMPTS):
            wanted = _directories(self._path)
            names: dict[int, set[str | None]] = {}
            for directory, name in wanted:
                number = self._inotify.add(directory, self)
                if number is not None:
                    names.setdefault(number, set()).add(name)
                elif os.path.isdir(directory):
                    self._unfollow(names)
                    return False
            self._unfollow({number: kept for number, kept in self._names.items() if number not in names})
            self._names = names
            if _directories(self._path) == wanted:
                break
        return True

    def _look_again(self, *, always: bool) -> None:
        """Report the path itself if it has become another file, or in any case if it exists."""
        before, self._version = self._version, _version(self._path)
        if before != self._version or (always and self._version is not None):
            self._add(self._path)

    def _add(self, path: str) -> None:
        if len(self._changed) >= MAX_CHANGES:
            self._changed = {self._path}
        self._changed.add(path)
        self._news.set()

    def _unfollow(self, numbers: dict[int, set[str | None]]) -> None:
        for number in tuple(numbers):
            self._inotify.remove(number, self)

    async def _look(self, pool: Executor) -> None:
        loop = asyncio.get_running_loop()
        before = await loop.run_in_executor(pool, _snapshot, self._path)
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            after = await loop.run_in_executor(pool, _snapshot, self._path)
            for name in before.keys() | after.keys():
                if before.get(name) != after.get(name):
                    self._add(os.path.join(self._path, name) if name else self._path)
            before = after


def _directories(path: str) -> list[tuple[str, str | None]]:
    """Return the directories to watch, each with the name of the entry that matters; ``None`` for all entries."""
    found: list[tuple[str, str | None]] = []
    for each in dict.fromkeys((path, os.path.realpath(path))):
        directory, name = os.path.split(each)
        while not os.path.isdir(directory) and name:
            directory, name = os.path.split(directory)
        if name:
            found.append((directory, name))
    if os.path.isdir(path):
        found.append((path, None))
    return found


def _version(path: str) -> Version:
    """Return what identifies the file at a path, and its target; ``None`` if there is none."""
    try:
        link, target = os.lstat(path), os.stat(path)
    except OSError:
        return None
    return link.st_dev, link.st_ino, target.st_dev, target.st_ino


def _snapshot(path: str) -> dict[str, Version]:
    """Return the versions of a path, under the empty name, and of its entries."""
    try:
        found = os.stat(path)
    except OSError:
        return {}
    if not stat.S_ISDIR(found.st_mode):
        return {"": _state(found)}
    entries: dict[str, Version] = {"": (found.st_dev, found.st_ino)}
    try:
        with os.scandir(path) as scan:
            for entry in scan:
                if len(entries) > _MAX_ENTRIES:
                    break
                try:
                    entries[entry.name] = _state(entry.stat(follow_symlinks=False))
                except OSError:
                    continue
    except OSError:
        pass
    return entries


def _state(found: os.stat_result) -> Version:
    return found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_mode
