"""Clean up after a launcher that was killed: kill its sandboxes and remove its placeholders.

A parent-death signal is not enough: it does nothing for a process that has not set it yet, and bwrap starts the command
before the sandbox's init process has set it. So every bwrap holds one end of a pipe, and the watchdog process finds
by it what to kill.
"""

from __future__ import annotations

import os
import sys
from _signal import SIGCHLD, SIGPIPE  # type: ignore[import-not-found]
from fcntl import F_DUPFD_CLOEXEC, fcntl

from codex_sandboxing.linux import cleanup

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_SHELL = "/bin/sh"
_SCRIPT = """\
cd /
trap '' HUP INT QUIT TERM TSTP
count=0 places=
while read -r what place; do
    case $what in
        guard) places="$places $place" ;;
        began) count=$((count + 1)) ;;
        over) count=$((count - 1)); case $count in 0) places= ;; esac ;;
    esac
done
case $count in 0) exit ;; esac
exec "$0" -I -S "$1" $places
"""
"""Reads start and end messages until EOF, then execs the clean-up program if a sandbox is left. A shell starts fast and
needs little memory while it waits."""

_LIFE_DESCRIPTOR, _FIRST_FREE_DESCRIPTOR = 3, 10
"""Number of the pipe descriptor in the watchdog process, and the lowest number that can't clash with its others."""

_BEGAN, _OVER = b"began x\n", b"over x\n"


class Watchdog:
    """A process that is started with the first sandbox and cleans up when this process ends, for whatever reason.

    :param copy: fork this process instead of spawning a shell; faster if this process is small and single-threaded.
    """

    def __init__(self, *, copy: bool = False) -> None:
        self._start = _fork if copy else _spawn
        self._pipe: int | None = None
        self._held_end = -1
        self._count = 0
        self._guarded: set[str] = set()

    def add(self, paths: Sequence[str]) -> int:
        """Register a sandbox that is about to be started.

        :param paths: its placeholders, to be removed if this process is killed.
        :return: a descriptor that bwrap has to keep open as long as it runs.
        """
        fresh = [path for path in paths if path not in self._guarded]
        self._guarded.update(fresh)
        self._count += 1
        if self._pipe is None or not self._send(b"".join((*_guard_orders(fresh), _BEGAN))):
            self._start_process()
            self._send(b"".join((*_guard_orders(self._guarded), _BEGAN * self._count)))
        return self._held_end

    def remove(self) -> None:
        """Unregister a sandbox whose processes have all ended."""
        self._count -= 1
        if not self._count:
            self._guarded.clear()
        self._send(_OVER)

    def _send(self, text: bytes) -> bool:
        """Send messages to the watchdog process; return whether it was there to read them."""
        try:
            while text and self._pipe is not None:
                text = text[os.write(self._pipe, text) :]
        except BrokenPipeError:  # The process was killed; the next sandbox gets a new one.
            self._close()
            return False
        return True

    def _start_process(self) -> None:
        ends = [*os.pipe(), *os.pipe()]
        orders, pipe, life, held_end = ends
        try:
            # Move both above the numbers that they are duplicated to, so that no dup2 overwrites a source.
            ends += [
                orders := fcntl(orders, F_DUPFD_CLOEXEC, _FIRST_FREE_DESCRIPTOR),
                life := fcntl(life, F_DUPFD_CLOEXEC, _FIRST_FREE_DESCRIPTOR),
            ]
            self._start(orders, life)
            ends.remove(pipe)
            ends.remove(held_end)
        finally:
            for end in ends:
                os.close(end)
        self._pipe, self._held_end = pipe, held_end

    def _close(self) -> None:
        for end in (self._pipe, self._held_end):
            if end is not None and end >= 0:
                os.close(end)
        self._pipe, self._held_end = None, -1


def _guard_orders(paths: Sequence[str] | set[str]) -> list[bytes]:
    """Return one ``guard`` message for each folder: the folder, then the names in it, all in hexadecimal."""
    folders: dict[str, list[str]] = {}
    for path in paths:
        folder, _, name = path.rpartition("/")
        folders.setdefault(folder, []).append(name)
    return [f"guard {':'.join(map(_word, (folder, *names)))}\n".encode() for folder, names in folders.items()]


def _word(text: str) -> str:
    return os.fsencode(text).hex()


def _spawn(orders: int, life: int) -> None:
    """Start a shell that reads the messages."""
    unmoved = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
    null = fcntl(unmoved, F_DUPFD_CLOEXEC, _FIRST_FREE_DESCRIPTOR)
    try:
        os.posix_spawn(
            _SHELL,
            [_SHELL, "-c", _SCRIPT, sys.executable, cleanup.__file__],
            {},
            file_actions=[
                (os.POSIX_SPAWN_DUP2, own, number)
                for own, number in ((orders, 0), (null, 1), (null, 2), (life, _LIFE_DESCRIPTOR))
            ],
            setsid=True,
            setsigdef=(SIGCHLD, SIGPIPE),
        )
    finally:
        os.close(unmoved)
        os.close(null)


def _fork(orders: int, life: int) -> None:
    """Fork this process; the child reads the messages."""
    if os.fork() == 0:
        try:
            os.setsid()
            os.chdir("/")
            null = os.open(os.devnull, os.O_RDWR)
            for own, number in ((orders, 0), (null, 1), (null, 2), (life, _LIFE_DESCRIPTOR)):
                os.dup2(own, number)
            os.closerange(_LIFE_DESCRIPTOR + 1, os.sysconf("SC_OPEN_MAX"))
            cleanup.read_orders()
        finally:
            os._exit(0)
