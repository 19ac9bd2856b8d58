"""Watch for child exit (pidfd) without reaping, so that the pid is not reused before the process group is killed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable
from typing import Protocol

OnExit = Callable[[int], None]
"""Called once on the event loop with the wait status."""


class ExitWatch(Protocol):
    """Watches one child."""

    def reap(self) -> int:
        """Reap the child and return its exit code, negative for a signal."""
        ...


def restore_sigchld() -> None:
    """Restore the default action of SIGCHLD if it is ignored, since exit codes would be lost."""
    from signal import SIG_DFL, SIG_IGN, SIGCHLD, getsignal, signal

    if getsignal(SIGCHLD) == SIG_IGN and threading.current_thread() is threading.main_thread():
        signal(SIGCHLD, SIG_DFL)


def watch_exit(pid: int, loop: asyncio.AbstractEventLoop, on_exit: OnExit) -> ExitWatch:
    """Call a function on the event loop when a child exits."""
    if hasattr(os, "pidfd_open"):
        try:
            return _PidfdWatch(pid, os.pidfd_open(pid), loop, on_exit)
        except OSError:  # The kernel or container does not support it.
            pass
    return _ThreadWatch(pid, loop, on_exit)


class _Watch:
    def __init__(self, pid: int, on_exit: OnExit) -> None:
        self._pid = pid
        self._on_exit = on_exit
        self._status: int | None = None

    def reap(self) -> int:
        """Reap the child, which has exited or was killed; -9 if its exit was not seen."""
        if self._status is None:
            return -9
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._pid, os.WNOHANG)
        return os.waitstatus_to_exitcode(self._status)

    def _wait_status(self, options: int) -> int | None:
        """Return the wait status, ``None`` while it runs; does not reap the child if the system has ``waitid``."""
        if not hasattr(os, "waitid"):  # macOS before Python 3.13.
            return os.waitpid(self._pid, 0)[1]
        try:
            result = os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOWAIT | options)
        except ChildProcessError:  # Other code has reaped it.
            return 255 << 8
        if result is None:
            return None
        return result.si_status << 8 if result.si_code == os.CLD_EXITED else result.si_status & 0x7F


class _PidfdWatch(_Watch):
    def __init__(self, pid: int, pidfd: int, loop: asyncio.AbstractEventLoop, on_exit: OnExit) -> None:
        super().__init__(pid, on_exit)
        self._pidfd = pidfd
        self._loop = loop
        loop.add_reader(pidfd, self._ready)

    def reap(self) -> int:
        if self._status is None:
            self._release()
        return super().reap()

    def _ready(self) -> None:
        status = self._wait_status(os.WNOHANG)
        if status is not None:
            self._status = status
            self._release()
            self._on_exit(status)

    def _release(self) -> None:
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)


class _ThreadWatch(_Watch):
    def __init__(self, pid: int, loop: asyncio.AbstractEventLoop, on_exit: OnExit) -> None:
        super().__init__(pid, on_exit)
        self._loop = loop
        threading.Thread(target=self._wait, name=f"wait-{pid}", daemon=True).start()

    def _wait(self) -> None:
        status = self._wait_status(0) or 0
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ready, status)

    def _ready(self, status: int) -> None:
        self._status = status
        self._on_exit(status)
