"""Find out who can still write to a pipe (Linux)."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress


def others_write(descriptor: int) -> bool:
    """Tell whether a process that is neither this one nor one of its callers can write to a pipe (Linux)."""
    try:
        state = os.fstat(descriptor)
    except OSError:
        return False
    if not stat.S_ISFIFO(state.st_mode):
        return False
    callers = set(_callers())
    return any(pid not in callers and _writes(pid, f"pipe:[{state.st_ino}]") for pid in _processes())


def _processes() -> list[int]:
    with suppress(OSError):
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return []


def _writes(pid: int, pipe: str) -> bool:
    folder = f"/proc/{pid}"
    with suppress(OSError):  # it ended, or is another user's
        for number in os.listdir(f"{folder}/fd"):
            with suppress(OSError):
                if os.readlink(f"{folder}/fd/{number}") == pipe and _writable(f"{folder}/fdinfo/{number}"):
                    return True
    return False


def _writable(fdinfo: str) -> bool:
    with open(fdinfo, encoding="ascii") as file:
        flags = next((line.split()[1] for line in file if line.startswith("flags:")), "0")
    return int(flags, 8) & os.O_ACCMODE != os.O_RDONLY


def _callers() -> Iterator[int]:
    """Iterate this process and all that it descends from."""
    pid = os.getpid()
    while pid > 0:
        yield pid
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                pid = int(file.read().rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            return
