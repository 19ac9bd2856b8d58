"""Have what was started end with this program, also when it is killed hard.

What a killed program would have to do itself can't be relied on, and a signal on the parent's death reaches neither
grandchildren nor, when it is late, the child. So a shell, which is small and quick to start, reads from a pipe what is
running. The end of the pipe is the end of this program; a thorough sweep follows.
"""

from __future__ import annotations

import asyncio
import os
import sys
from signal import SIGCHLD, SIGPIPE
from typing import TYPE_CHECKING, Final

from codex_exec_local import sweeping
from codex_hookspecs.protocol import is_uuid

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHELL: Final = "/bin/sh"
_KEEP_LIST: Final = """\
cd /
trap '' HUP INT QUIT TERM TSTP
leaders=' ' coming= marks=
while read -r what name; do
    case $what in
        coming) coming=$name ;;
        mark) marks="$marks $name" ;;
        swept) marks= ;;
        failed) coming= ;;
        running) leaders="$leaders$name " coming= ;;
        over) case $leaders in
            *" $name "*) leaders="${leaders%% $name *} ${leaders#* $name }" ;;
        esac ;;
    esac
done
case $coming$marks$leaders in ' ') exit ;; esac
[ -d /proc/self/fd ] && [ -x "$0" ] && exec "$0" -I -S "$1" "$2" "$coming" "$marks" $leaders
for leader in $leaders; do kill -s KILL -- "-$leader"; done
"""
_LONGEST_PAUSE: Final = 0.25


class Watchdog:
    """Knows which commands run; there is nothing to watch, and no shell, before the first one."""

    def __init__(self) -> None:
        self._running: set[int] = set()
        self._marks: set[str] = set()
        self._shell = 0
        self._pipe: int | None = None
        self._unsent = b""

    def mark(self, env: Mapping[str, str]) -> None:
        """Have what a command leaves in the background end with this program, if its environment tells it from others.

        :param env: the command's.
        """
        mark = env.get(sweeping.MARK, "")
        # A variable that this program was itself started with is that of whoever started it.
        if mark not in self._marks and is_uuid(mark) and mark != os.environ.get(sweeping.MARK):
            self._marks.add(mark)
            if self._pipe is not None:
                self._tell(f"mark {mark}\n")

    def coming(self, output: int) -> None:
        """Tell that a command is about to be started; until its number is known its output tells it from others.

        :param output: descriptor that it gets for its output.
        """
        if self._pipe is None:
            self._start()
        found = os.fstat(output)
        self._tell(f"coming {found.st_dev}:{found.st_ino}\n")

    def running(self, pid: int) -> None:
        """Tell that the command was started and leads a session of its own."""
        self._running.add(pid)
        self._tell(f"running {pid}\n")

    def failed(self) -> None:
        """Tell that the command could not be started."""
        self._tell("failed\n")

    def over(self, pid: int) -> None:
        """Tell that a command is over; to be called before its number can be used again."""
        self._running.discard(pid)
        self._tell(f"over {pid}\n")

    async def aclose(self) -> None:
        """Kill what commands have left in the background, and watch no longer."""
        if self._marks:
            sweeping.sweep(self._marks)
            self._tell("swept\n")
        if self._pipe is None:
            return
        self._hang_up()
        pause = 0.0002
        while pause < _LONGEST_PAUSE and not self._buried():
            await asyncio.sleep(pause)
            pause *= 2

    def _start(self) -> None:
        argv = [_SHELL, "-c", _KEEP_LIST, sys.executable, sweeping.__file__, str(os.getsid(0))]
        opened = list(os.pipe())
        reader, writer = opened
        try:
            opened.append(os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC))
            places = ((reader, 0), (opened[2], 1), (opened[2], 2))
            actions = [(os.POSIX_SPAWN_DUP2, own, number) for own, number in places]
            os.set_blocking(writer, False)
            try:
                self._shell = os.posix_spawn(
                    _SHELL, argv, {}, file_actions=actions, setsid=True, setsigdef=(SIGCHLD, SIGPIPE)
                )
            except (OSError, NotImplementedError):  # Where there is no shell, commands can be run all the same.
                return
            opened.remove(writer)
        finally:
            for descriptor in opened:
                os.close(descriptor)
        self._pipe = writer
        lines = [*(f"mark {mark}\n" for mark in self._marks), *(f"running {pid}\n" for pid in self._running)]
        self._unsent = "".join(lines).encode()

    def _tell(self, line: str) -> None:
        if self._pipe is None:
            return
        self._unsent += line.encode()
        try:
            self._unsent = self._unsent[os.write(self._pipe, self._unsent) :]
        except BlockingIOError:  # It goes with the next one.
            pass
        except BrokenPipeError:  # Somebody ended the shell; the next command gets a new one.
            self._hang_up()
            self._buried()

    def _hang_up(self) -> None:
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None

    def _buried(self) -> bool:
        try:
            return os.waitpid(self._shell, os.WNOHANG)[0] != 0
        except ChildProcessError:
            return True
