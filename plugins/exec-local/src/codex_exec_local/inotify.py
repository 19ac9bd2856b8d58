"""Changes of directories by inotify (Linux), with one descriptor for all watches."""

from __future__ import annotations

import asyncio
import os
import struct
import sys
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

MODIFY: Final = 0x2
ATTRIB: Final = 0x4
CLOSE_WRITE: Final = 0x8
MOVED: Final = 0x40 | 0x80
CREATE: Final = 0x100
DELETE: Final = 0x200
SELF_GONE: Final = 0x400 | 0x800
OVERFLOW: Final = 0x4000
IGNORED: Final = 0x8000
_ONLY_DIRECTORIES: Final = 0x1000000
_MASK: Final = MODIFY | ATTRIB | CLOSE_WRITE | MOVED | CREATE | DELETE | SELF_GONE | _ONLY_DIRECTORIES
_EVENT: Final = struct.Struct("iIII")
_READ_BYTES: Final = 64 * 1024
_READS: Final = 16
"""Reads in one callback of the event loop."""


class Listener(Protocol):
    """Is told about changes."""

    def on_change(self, watch: int, mask: int, name: str) -> None:
        """Process a change.

        :param watch: number of the watched directory; -1 when changes were lost.
        :param mask: bits of inotify.
        :param name: name of the entry that changed; empty for the directory itself.
        """
        ...


class Inotify:
    """One inotify instance, opened when the first directory is watched and closed with the last."""

    def __init__(self) -> None:
        self._libc: Any = None
        self._descriptor = -1
        self._listeners: dict[int, set[Listener]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def add(self, directory: str, listener: Listener) -> int | None:
        """Watch a directory for a listener.

        :return: number of the directory, the same for all its paths; ``None`` when it can't be watched.
        """
        if not self._open():
            return None
        watch: int = self._libc.inotify_add_watch(self._descriptor, os.fsencode(directory), _MASK)
        if watch < 0:
            self._close_if_unused()
            return None
        self._listeners.setdefault(watch, set()).add(listener)
        return watch

    def remove(self, watch: int, listener: Listener) -> None:
        """Stop watching a directory for a listener; it may have ended already."""
        listeners = self._listeners.get(watch)
        if listeners is not None:
            listeners.discard(listener)
            if not listeners:
                del self._listeners[watch]
                self._libc.inotify_rm_watch(self._descriptor, watch)
        self._close_if_unused()

    def close(self) -> None:
        """End all watches."""
        self._listeners.clear()
        self._close_if_unused()

    def _open(self) -> bool:
        if self._descriptor >= 0:
            return True
        if sys.platform != "linux":
            return False
        if self._libc is None:
            import ctypes

            self._libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._descriptor < 0:
            return False
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._descriptor, self._read)
        return True

    def _close_if_unused(self) -> None:
        if self._descriptor >= 0 and not self._listeners:
            if self._loop is not None and not self._loop.is_closed():
                self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1

    def _read(self) -> None:
        for _ in range(_READS):
            if self._descriptor < 0:
                return
            try:
                data = os.read(self._descriptor, _READ_BYTES)
            except BlockingIOError:
                return
            for watch, mask, name in _events(data):
                self._tell(watch, mask, name)

    def _tell(self, watch: int, mask: int, name: str) -> None:
        if mask & OVERFLOW:
            told = {listener for listeners in self._listeners.values() for listener in listeners}
        elif mask & IGNORED:
            told = self._listeners.pop(watch, set())
        else:
            told = set(self._listeners.get(watch, ()))
        for listener in told:
            listener.on_change(watch, mask, name)


def _events(data: bytes) -> Iterator[tuple[int, int, str]]:
    offset = 0
    while offset < len(data):
        watch, mask, _cookie, length = _EVENT.unpack_from(data, offset)
        offset += _EVENT.size
        yield watch, mask, os.fsdecode(data[offset : offset + length].rstrip(b"\0"))
        offset += length
