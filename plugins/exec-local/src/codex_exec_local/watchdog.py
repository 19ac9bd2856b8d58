"""Kill everything that was started when this program ends, even if it is killed with SIGKILL.

A killed program can't clean up itself, and a parent-death signal does not reach grandchildren, nor a child that has not
set it yet. So a shell, which starts fast and needs little memory, reads from a pipe which commands run. EOF on the pipe
means that this program has ended; then the shell execs ``orphan_killer.py``.
"""

from __future__ import annotations

import asyncio
import os
import sys
from signal import SIGCHLD, SIGPIPE
from typing import TYPE_CHECKING, Final

from codex_exec_local import orphan_killer
from codex_hookspecs.protocol import is_uuid

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHELL: Final = "/bin/sh"
_SCRIPT: Final = """\
cd /
trap '' HUP INT QUIT TERM TSTP
leaders=' ' starting= marks=
while read -r what name; do
    case $what in
        starting) starting=$name ;;
        mark) marks="$marks $name" ;;
        marked_killed) marks= ;;
        start_failed) starting= ;;
        started) leaders="$leaders$name " starting= ;;
        ended) case $leaders in
            *" $name "*) leaders="${leaders%% $name *} ${leaders#* $name }" ;;
        esac ;;
    esac
done
case $starting$marks$leaders in ' ') exit ;; esac
[ -d /proc/self/fd ] && [ -x "$0" ] && exec "$0" -I -S "$1" "$2" "$starting" "$marks" $leaders
for leader in $leaders; do kill -s KILL -- "-$leader"; done
"""
_MAX_PAUSE: Final = 0.25


class Watchdog:
    """Tells a shell which commands run. The shell is started with the first command."""

    def __init__(self) -> None:
        self._running: set[int] = set()
        self._marks: set[str] = set()
        self._shell = 0
        self._pipe: int | None = None
        self._unsent = b""

    def mark(self, env: Mapping[str, str]) -> None:
        """Register the mark of a command, by which its background processes are found when this program ends.

        :param env: the command's environment; without a mark of its own, nothing is registered.
        """
        mark = env.get(orphan_killer.MARK, "")
        # The mark that this program was itself started with belongs to its parent's processes, too.
        if mark not in self._marks and is_uuid(mark) and mark != os.environ.get(orphan_killer.MARK):
            self._marks.add(mark)
            if self._pipe is not None:
                self._send(f"mark {mark}\n")

    def starting(self, output: int) -> None:
        """Note that a command is about to be started; until its pid is known, it is identified by its output.

        :param output: descriptor of its stdout.
        """
        if self._pipe is None:
            self._start()
        found = os.fstat(output)
        self._send(f"starting {found.st_dev}:{found.st_ino}\n")

    def started(self, pid: int) -> None:
        """Note that the command was started, as leader of a new session."""
        self._running.add(pid)
        self._send(f"started {pid}\n")

    def start_failed(self) -> None:
        """Note that the command could not be started."""
        self._send("start_failed\n")

    def ended(self, pid: int) -> None:
        """Note that a command has ended; to be called before its pid can be reused."""
        self._running.discard(pid)
        self._send(f"ended {pid}\n")

    async def aclose(self) -> None:
        """Kill all processes that commands have left running, and stop watching."""
        if self._marks:
            orphan_killer.kill_orphans(self._marks)
            self._send("marked_killed\n")
        if self._pipe is None:
            return
        self._close()
        pause = 0.0002
        while pause < _MAX_PAUSE and not self._reap():
            await asyncio.sleep(pause)
            pause *= 2

    def _start(self) -> None:
        argv = [_SHELL, "-c", _SCRIPT, sys.executable, orphan_killer.__file__, str(os.getsid(0))]
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
            except (OSError, NotImplementedError):  # Without a shell, commands run unwatched.
                return
            opened.remove(writer)
        finally:
            for descriptor in opened:
                os.close(descriptor)
        self._pipe = writer
        lines = [*(f"mark {mark}\n" for mark in self._marks), *(f"started {pid}\n" for pid in self._running)]
        self._unsent = "".join(lines).encode()

    def _send(self, line: str) -> None:
        if self._pipe is None:
            return
        self._unsent += line.encode()
        try:
            self._unsent = self._unsent[os.write(self._pipe, self._unsent) :]
        except BlockingIOError:  # It is sent with the next line.
            pass
        except BrokenPipeError:  # The shell was killed; the next command starts a new one.
            self._close()
            self._reap()

    def _close(self) -> None:
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None

    def _reap(self) -> bool:
        try:
            return os.waitpid(self._shell, os.WNOHANG)[0] != 0
        except ChildProcessError:
            return True
