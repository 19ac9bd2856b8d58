"""Clear up behind sandboxes whose launcher was killed: a small process waits for its end and removes placeholders."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence


class Watchdog:
    """Started with the first placeholder; ends with the launcher, whatever the reason.

    :param copy: it is a copy of this process, which is quick where this process is small and has one thread, and
        which is made only by :meth:`begin`.
    """

    def __init__(self, *, copy: bool = False) -> None:
        self._start = _copy if copy else _start
        self._waiting: list[str] | None = [] if copy else None
        self._pipe: int | None = None
        self._guarded: set[str] = set()

    def guard(self, paths: Sequence[str]) -> None:
        """Have paths swept after this program's end."""
        fresh = [path for path in paths if path not in self._guarded]
        if not fresh:
            return
        if self._waiting is not None:
            self._waiting += fresh
            return
        if self._pipe is None:
            self._pipe = self._start()
        self._guarded.update(fresh)
        os.write(self._pipe, b"".join(os.fsencode(path) + b"\0" for path in fresh))

    def begin(self) -> None:
        """Make the copy, if there is anything to guard; to be called when what matters is on its way."""
        waiting, self._waiting = self._waiting, None
        self.guard(waiting or ())


def _start() -> int:
    """Start the process and return the descriptor it reads from."""
    reader, writer = os.pipe()
    program = f"import sys; sys.path.append({os.path.dirname(__file__)!r}); import sweeping; sweeping.wait_and_sweep()"
    actions = [(os.POSIX_SPAWN_DUP2, reader, 0)]
    null = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
    actions += [(os.POSIX_SPAWN_DUP2, null, 1), (os.POSIX_SPAWN_DUP2, null, 2)]
    try:
        os.posix_spawn(
            sys.executable, [sys.executable, "-I", "-S", "-c", program], {}, file_actions=actions, setsid=True
        )
    except OSError:
        os.close(writer)
        raise
    finally:
        os.close(reader)
        os.close(null)
    return writer


def _copy() -> int:
    """Copy this process and return the descriptor that the copy reads from."""
    from codex_sandbox_bwrap.sweeping import wait_and_sweep

    reader, writer = os.pipe()
    if os.fork() == 0:
        try:
            os.setsid()
            null = os.open(os.devnull, os.O_RDWR)
            for own, number in ((reader, 0), (null, 1), (null, 2)):
                os.dup2(own, number)
            wait_and_sweep()
        finally:
            os._exit(0)
    os.close(reader)
    return writer
