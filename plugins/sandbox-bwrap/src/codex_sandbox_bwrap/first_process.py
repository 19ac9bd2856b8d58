"""Know when nothing of a box is left: when its first process is gone, for the kernel ends all others before that."""

from __future__ import annotations

import os
import time

_PATIENCE, _LIMIT = 0.05, 10.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.0001, 0.01
_GONE = (b"Z", b"X")
_TEXT_BYTES = 4096
_KILL = 9
_KEY = b'"child-pid":'


class FirstProcess:
    """The first process of a box to be, of which bwrap tells the number."""

    def __init__(self) -> None:
        self._reader, self.told = os.pipe()
        """What bwrap is to tell the number on; to be closed when it has inherited it."""
        os.set_blocking(self._reader, False)

    def wait(self) -> bool:
        """Wait for its end, when that of bwrap is past; it follows by itself, or else it is killed.

        :return: whether it is known to be gone. When bwrap is killed early, what waits for its word may stay.
        """
        with open(self._reader, "rb", buffering=0) as reader:
            text = reader.read(_TEXT_BYTES) or b""
        number = text.partition(_KEY)[2].partition(b",")[0].strip(b" }\n")
        if not number.isdigit():
            return False
        pid = int(number)
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


def _is_first(pid: int) -> bool:
    """Tell whether a number belongs to a living process that is the first one of a box."""
    try:
        with open(f"/proc/{pid}/status", "rb") as file:
            fields = dict(line.split(b":", 1) for line in file.read().splitlines() if b":" in line)
    except OSError:
        return False
    numbers = fields.get(b"NSpid", b"").split()
    return len(numbers) > 1 and numbers[-1] == b"1" and fields[b"State"].split()[0] not in _GONE
