"""Detect the end of a sandbox: when pid 1 of its pid namespace exits, the kernel has killed the rest."""

from __future__ import annotations

import os
import time

_GRACE_SECONDS, _KILL_SECONDS = 0.05, 10.0
_MIN_PAUSE, _MAX_PAUSE = 0.0001, 0.01
_DEAD_STATES = (b"Z", b"X")
_TEXT_BYTES = 4096
_INTERRUPT, _KILL = 2, 9
_KEY = b'"child-pid":'


class InitProcess:
    """Pid 1 of a sandbox that is about to start; bwrap reports its pid on ``--info-fd``."""

    def __init__(self) -> None:
        self._reader, self.info_writer = os.pipe()
        """The descriptor for ``--info-fd``; the caller closes it once bwrap has inherited it."""
        os.set_blocking(self._reader, False)
        self._text = b""

    def interrupt(self) -> bool:
        """Send SIGINT to the sandbox's process group if it is not bwrap's; return whether that was done."""
        pid = self._read_pid()
        if pid is None or not _is_init(pid):
            return False
        try:
            group = os.getpgid(pid)
            if group == os.getpgid(_parent(pid)):
                return False
            os.killpg(group, _INTERRUPT)
        except OSError:
            return False
        return True

    def wait(self) -> bool:
        """After bwrap has exited, wait for the sandbox's init process, killing it if it lingers.

        :return: whether it is known to be gone. It is not when bwrap was killed before it reported the pid.
        """
        pid = self._read_pid()
        os.close(self._reader)
        self._reader = -1
        if pid is None:
            return False
        started = time.monotonic()
        pause = _MIN_PAUSE
        while _is_init(pid):
            waited = time.monotonic() - started
            if waited > _KILL_SECONDS:
                return False
            if waited > _GRACE_SECONDS:
                # The init process sets its parent-death signal only after the command was started.
                try:
                    os.kill(pid, _KILL)
                except ProcessLookupError:
                    return True
            time.sleep(pause)
            pause = min(pause * 2, _MAX_PAUSE)
        return True

    def _read_pid(self) -> int | None:
        """Return the pid that bwrap has reported, ``None`` if it has not."""
        if self._reader >= 0:
            try:  # noqa: SIM105 - contextlib takes long to import.
                self._text += os.read(self._reader, _TEXT_BYTES)
            except BlockingIOError:
                pass
        number = self._text.partition(_KEY)[2].partition(b",")[0].strip(b" }\n")
        return int(number) if number.isdigit() else None


def _parent(pid: int) -> int:
    with open(f"/proc/{pid}/stat", "rb") as file:
        return int(file.read().rpartition(b")")[2].split()[1])


def _is_init(pid: int) -> bool:
    """Return whether a pid belongs to a live process that is pid 1 of a nested pid namespace."""
    try:
        with open(f"/proc/{pid}/status", "rb") as file:
            fields = dict(line.split(b":", 1) for line in file.read().splitlines() if b":" in line)
    except OSError:
        return False
    numbers = fields.get(b"NSpid", b"").split()
    return len(numbers) > 1 and numbers[-1] == b"1" and fields[b"State"].split()[0] not in _DEAD_STATES
