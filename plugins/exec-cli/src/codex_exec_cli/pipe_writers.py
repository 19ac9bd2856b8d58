"""Find processes that can still write to a pipe (Linux)."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress


def has_other_writers(descriptor: int) -> bool:
    """Return whether a process other than this one and its ancestors can write to a pipe (``False`` if unknown)."""
    try:
        state = os.fstat(descriptor)
    except OSError:
        return False
    if not stat.S_ISFIFO(state.st_mode):
        return False
    callers = set(_ancestors())
    return any(pid not in callers and _can_write(pid, f"pipe:[{state.st_ino}]") for pid in _processes())


def _processes() -> list[int]:
    with suppress(OSError):
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return []


def _can_write(pid: int, pipe: str) -> bool:
    folder = f"/proc/{pid}"
    with suppress(OSError):  # The process has ended or belongs to another user.
        for number in os.listdir(f"{folder}/fd"):
            with suppress(OSError):
                if os.readlink(f"{folder}/fd/{number}") == pipe and _writable(f"{folder}/fdinfo/{number}"):
                    return True
    return False


def _writable(fdinfo: str) -> bool:
    with open(fdinfo, encoding="ascii") as file:
        flags = next((line.split()[1] for line in file if line.startswith("flags:")), "0")
    return int(flags, 8) & os.O_ACCMODE != os.O_RDONLY


def _ancestors() -> Iterator[int]:
    """Yield this process and its ancestors."""
    pid = os.getpid()
    while pid > 0:
        yield pid
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                pid = int(file.read().rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            return
