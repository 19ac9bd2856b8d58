"""Tell once when a path that was missing appears or one that was there changes (``fs/watchMissing``)."""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys
from typing import Any

from codex_exec_server.connection import Connection, Method
from codex_exec_server.decoding import INVALID_REQUEST, REQUIRED, items, optional, path, struct, whole
from codex_exec_server.file_methods import NEEDS, lane
from codex_exec_server.messages import notification
from codex_hookspecs.errors import RpcError

LOOK_SECONDS = 1.0
"""Interval of looking where the system does not tell of changes."""
MOST_WATCHES = 4096
_CHANGES = 0x2 | 0x4 | 0x8 | 0x40 | 0x80 | 0x100 | 0x200 | 0x400 | 0x800


def path_here(value: Any) -> str:
    """Read a path; one of another machine is a path that nothing ever comes to be at."""
    try:
        return path(value)
    except RpcError as error:
        if error.code == INVALID_REQUEST:
            return ""
        raise


_params = struct(
    "FsWatchMissingParams",
    {"watchId": (whole, REQUIRED), "missing": (items(path_here), REQUIRED), "present": (optional(path_here), None)},
)
State = tuple[Any, ...]


def state_of(missing: list[str], present: str | None) -> State:
    """Return what is compared: how much of each path exists, and what stands at the present one."""
    return (*(_existing(path) for path in missing), _seen(present))


class Watches:
    """What one connection waits for."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._states: dict[int, tuple[list[str], str | None, State]] = {}
        self._last = 0
        self._changes = _Changes(self._look)

    def add(self, watch: int, missing: list[str], present: str | None) -> bool:
        """Watch some paths.

        :param watch: its id, greater than any before.
        :return: whether there is anything to watch.
        """
        if watch <= self._last:
            return False
        self._last = watch
        waiting = [path for path in missing if not os.path.lexists(path)]
        if not waiting or len(waiting) < len(missing) or len(self._states) >= MOST_WATCHES:
            return False
        if "" in missing or (present is not None and not os.path.lexists(present)):
            return False
        state = state_of(waiting, present)
        self._states[watch] = (waiting, present, state)
        self._changes.follow([*(_existing(path) for path in waiting), *([present] if present else [])])
        self._look()
        return True

    async def aclose(self) -> None:
        """Watch nothing more."""
        self._states.clear()
        self._changes.close()

    def _look(self) -> None:
        for watch, (missing, present, state) in list(self._states.items()):
            if state_of(missing, present) != state:
                del self._states[watch]
                self._connection.outlet.queue(notification("fs/missingChanged", {"watchId": watch}))
        if not self._states:
            self._changes.rest()


class _Changes:
    """Calls back when something in some directories changed: told by inotify, elsewhere found by looking."""

    def __init__(self, on_change: Any) -> None:
        self._on_change = on_change
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
        self._descriptor = -1

    def follow(self, paths: list[str]) -> None:
        if self._libc is not None and self._descriptor < 0:
            self._descriptor = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
            if self._descriptor >= 0:
                self._loop.add_reader(self._descriptor, self._told)
        told = self._descriptor >= 0
        for each in paths:
            if told and self._libc is not None:
                told = self._libc.inotify_add_watch(self._descriptor, os.fsencode(each), _CHANGES) >= 0
        if not told and self._timer is None:
            self._timer = self._loop.call_later(LOOK_SECONDS, self._again)

    def rest(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._descriptor >= 0:
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1

    close = rest

    def _told(self) -> None:
        try:
            while os.read(self._descriptor, 65536):
                pass
        except BlockingIOError:
            pass
        self._on_change()

    def _again(self) -> None:
        self._timer = self._loop.call_later(LOOK_SECONDS, self._again)
        self._on_change()


def _existing(path: str) -> str:
    while not os.path.lexists(path) and (above := os.path.dirname(path)) != path:
        path = above
    return path


def _seen(path: str | None) -> State | None:
    if path is None:
        return None
    try:
        found = os.lstat(path)
    except OSError:
        return ()
    if os.path.isdir(path):
        return (found.st_ino,)
    return found.st_ino, found.st_mtime_ns, found.st_size


def _watch(connection: Connection, params: dict[str, Any]) -> Any:
    watches = connection.resources.get("watches")
    if watches is None:
        watches = connection.resources["watches"] = Watches(connection)
    return {"watching": watches.add(params["watchId"], params["missing"], params["present"])}


METHODS = {"fs/watchMissing": Method(_params, _watch, NEEDS, lane=lane)}
