"""Clear up behind a launcher that was killed: end what it has left running, and remove its placeholders.

A signal on the parent's death is not enough: it comes too late for what has not asked for it yet, and bwrap starts the
command before the first process of the box has asked. So every process of bwrap holds one end of a pipe, by which it is
found.
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
_KEEP_LIST = """\
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
"""Reads what is begun and over. A shell is small and quick to start; the work is done by a program in its place."""

_LIFE, _HIGH = 3, 10
"""The number under which the process has the end of the pipe that tells who lives, and one beyond all such numbers."""

_BEGAN, _OVER = b"began x\n", b"over x\n"


class Watchdog:
    """Started with the first box; ends with the launcher, whatever the reason.

    :param copy: it is a copy of this process, which is quick where this process is small and has one thread.
    """

    def __init__(self, *, copy: bool = False) -> None:
        self._start = _copied if copy else _spawned
        self._pipe: int | None = None
        self._life = -1
        self._count = 0
        self._guarded: set[str] = set()

    def began(self, paths: Sequence[str]) -> int:
        """Watch one more box, about to be started.

        :param paths: what it will need that is to be swept after this program's end.
        :return: a descriptor that bwrap has to hold as long as it lives.
        """
        fresh = [path for path in paths if path not in self._guarded]
        self._guarded.update(fresh)
        self._count += 1
        if self._pipe is None or not self._told(b"".join((*_lines(fresh), _BEGAN))):
            self._open()
            self._told(b"".join((*_lines(self._guarded), _BEGAN * self._count)))
        return self._life

    def over(self) -> None:
        """Tell that nothing of one box is left."""
        self._count -= 1
        if not self._count:
            self._guarded.clear()
        self._told(_OVER)

    def _told(self, text: bytes) -> bool:
        """Pass on some orders; return whether anybody reads them."""
        try:
            while text and self._pipe is not None:
                text = text[os.write(self._pipe, text) :]
        except BrokenPipeError:  # Somebody ended the process; the next box gets a new one.
            self._hang_up()
            return False
        return True

    def _open(self) -> None:
        ends = [*os.pipe(), *os.pipe()]
        orders, pipe, life, held = ends
        try:
            # None of them may be where another one is to go.
            ends += [orders := fcntl(orders, F_DUPFD_CLOEXEC, _HIGH), life := fcntl(life, F_DUPFD_CLOEXEC, _HIGH)]
            self._start(orders, life)
            ends.remove(pipe)
            ends.remove(held)
        finally:
            for end in ends:
                os.close(end)
        self._pipe, self._life = pipe, held

    def _hang_up(self) -> None:
        for end in (self._pipe, self._life):
            if end is not None and end >= 0:
                os.close(end)
        self._pipe, self._life = None, -1


def _lines(paths: Sequence[str] | set[str]) -> list[bytes]:
    """Return an order for each folder: the folder, then the names in it."""
    folders: dict[str, list[str]] = {}
    for path in paths:
        folder, _, name = path.rpartition("/")
        folders.setdefault(folder, []).append(name)
    return [f"guard {':'.join(map(_word, (folder, *names)))}\n".encode() for folder, names in folders.items()]


def _word(text: str) -> str:
    return os.fsencode(text).hex()


def _spawned(orders: int, life: int) -> None:
    """Start a process that reads orders."""
    opened = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
    null = fcntl(opened, F_DUPFD_CLOEXEC, _HIGH)
    try:
        os.posix_spawn(
            _SHELL,
            [_SHELL, "-c", _KEEP_LIST, sys.executable, cleanup.__file__],
            {},
            file_actions=[
                (os.POSIX_SPAWN_DUP2, own, number) for own, number in ((orders, 0), (null, 1), (null, 2), (life, _LIFE))
            ],
            setsid=True,
            setsigdef=(SIGCHLD, SIGPIPE),
        )
    finally:
        os.close(opened)
        os.close(null)


def _copied(orders: int, life: int) -> None:
    """Copy this process; the copy reads orders."""
    if os.fork() == 0:
        try:
            os.setsid()
            os.chdir("/")
            null = os.open(os.devnull, os.O_RDWR)
            for own, number in ((orders, 0), (null, 1), (null, 2), (life, _LIFE)):
                os.dup2(own, number)
            os.closerange(_LIFE + 1, os.sysconf("SC_OPEN_MAX"))
            cleanup.read_orders()
        finally:
            os._exit(0)
