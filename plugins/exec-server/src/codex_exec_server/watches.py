"""Handle ``fs/watchMissing``: notify once when a missing path appears or a present one changes."""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys
from typing import Any

from codex_exec_server.connection import Connection, Method
from codex_exec_server.decoding import INVALID_REQUEST, REQUIRED, optional, path, sequence, struct, unsigned
from codex_exec_server.file_methods import NEEDS, order_key
from codex_exec_server.messages import encode_notification
from codex_hookspecs.errors import RpcError

LOOK_SECONDS = 1.0
"""Polling interval where inotify is not available."""
MAX_WATCHES = 4096
_CHANGES = 0x2 | 0x4 | 0x8 | 0x40 | 0x80 | 0x100 | 0x200 | 0x400 | 0x800


def read_local_path(value: Any) -> str:
    """Read a path; a path of a foreign kind, which can never exist here, becomes an empty string."""
    try:
        return path(value)
    except RpcError as error:
        if error.code == INVALID_REQUEST:
            return ""
        raise


_params = struct(
    "FsWatchMissingParams",
    {
        "watchId": (unsigned, REQUIRED),
        "missing": (sequence(read_local_path), REQUIRED),
        "present": (optional(read_local_path), None),
    },
)
State = tuple[Any, ...]


def current_state(missing: list[str], present: str | None) -> State:
    """Return the state to compare: the existing part of each missing path, and the version of the present one."""
    return (*(_nearest_existing(path) for path in missing), _file_version(present))


class Watches:
    """The watches of a connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._states: dict[int, tuple[list[str], str | None, State]] = {}
        self._last = 0
        self._changes = _Changes(self._check_all)

    def add(self, watch: int, missing: list[str], present: str | None) -> bool:
        """Add a watch.

        :param watch: id of the watch, greater than all before.
        :param missing: paths that do not exist.
        :param present: a path that exists, or ``None``.
        :return: whether the watch was added; not when its paths have changed already, or there are too many watches.
        """
        if watch <= self._last:
            return False
        self._last = watch
        waiting = [path for path in missing if not os.path.lexists(path)]
        if not waiting or len(waiting) < len(missing) or len(self._states) >= MAX_WATCHES:
            return False
        if "" in missing or (present is not None and not os.path.lexists(present)):
            return False
        state = current_state(waiting, present)
        self._states[watch] = (waiting, present, state)
        self._changes.watch([*(_nearest_existing(path) for path in waiting), *([present] if present else [])])
        self._check_all()
        return True

    async def aclose(self) -> None:
        """Remove all watches."""
        self._states.clear()
        self._changes.close()

    def _check_all(self) -> None:
        for watch, (missing, present, state) in list(self._states.items()):
            if current_state(missing, present) != state:
                del self._states[watch]
                self._connection.peer.queue(encode_notification("fs/missingChanged", {"watchId": watch}))
        if not self._states:
            self._changes.stop()


class _Changes:
    """Calls back when something in the watched directories has changed, by inotify or by polling."""

    def __init__(self, on_change: Any) -> None:
        self._on_change = on_change
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
        self._descriptor = -1

    def watch(self, paths: list[str]) -> None:
        if self._libc is not None and self._descriptor < 0:
            self._descriptor = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
            if self._descriptor >= 0:
                self._loop.add_reader(self._descriptor, self._on_inotify)
        notified = self._descriptor >= 0
        for each in paths:
            if notified and self._libc is not None:
                notified = self._libc.inotify_add_watch(self._descriptor, os.fsencode(each), _CHANGES) >= 0
        if not notified and self._timer is None:
            self._timer = self._loop.call_later(LOOK_SECONDS, self._poll)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._descriptor >= 0:
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1

    close = stop

    def _on_inotify(self) -> None:
        try:
            while os.read(self._descriptor, 65536):
                pass
        except BlockingIOError:
            pass
        self._on_change()

    def _poll(self) -> None:
        self._timer = self._loop.call_later(LOOK_SECONDS, self._poll)
        self._on_change()


def _nearest_existing(path: str) -> str:
    while not os.path.lexists(path) and (above := os.path.dirname(path)) != path:
        path = above
    return path


def _file_version(path: str | None) -> State | None:
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


METHODS = {"fs/watchMissing": Method(_params, _watch, NEEDS, order_key=order_key)}
