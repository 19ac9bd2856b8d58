"""Know when nothing of a box is left: when its first process is gone, for the kernel ends all others before that."""

from __future__ import annotations

import os
import time

_PATIENCE, _LIMIT = 0.05, 10.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.0001, 0.01
_GONE = (b"Z", b"X")
_TEXT_BYTES = 4096
_INTERRUPT, _KILL = 2, 9
_KEY = b'"child-pid":'


class FirstProcess:
    """The first process of a box to be, of which bwrap tells the number."""

    def __init__(self) -> None:
        self._reader, self.told = os.pipe()
        """What bwrap is to tell the number on; to be closed when it has inherited it."""
        os.set_blocking(self._reader, False)
        self._text = b""

    def interrupt(self) -> bool:
        """Interrupt the command of a box that has a process group of its own; tell whether that was done."""
        pid = self._number()
        if pid is None or not _is_first(pid):
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
        """Wait for its end, when that of bwrap is past; it follows by itself, or else it is killed.

        :return: whether it is known to be gone. When bwrap is killed early, what waits for its word may stay.
        """
        pid = self._number()
        os.close(self._reader)
        self._reader = -1
        if pid is None:
            return False
        started = time.monotonic()
        pause = _FIRST_PAUSE
        while _is_first(pid):
            waited = time.monotonic() - started
            if waited > _LIMIT:
                return False
            if waited > _PATIENCE:
                # The first process asks to end with bwrap only after the command has begun.
                try:
                    os.kill(pid, _KILL)
                except ProcessLookupError:
                    return True
            time.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
        return True

    def _number(self) -> int | None:
        """Return the number that bwrap has told, if it has."""
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


def _is_first(pid: int) -> bool:
    """Tell whether a number belongs to a living process that is the first one of a box."""
    try:
        with open(f"/proc/{pid}/status", "rb") as file:
            fields = dict(line.split(b":", 1) for line in file.read().splitlines() if b":" in line)
    except OSError:
        return False
    numbers = fields.get(b"NSpid", b"").split()
    return len(numbers) > 1 and numbers[-1] == b"1" and fields[b"State"].split()[0] not in _GONE
