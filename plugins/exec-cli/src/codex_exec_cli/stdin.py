"""Read standard input, which a caller may hold open without ever writing to it."""

from __future__ import annotations

import os
import select
import stat
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

SILENCE: Final = 10.0
"""Seconds without a byte after which input that nobody but our callers can write counts as finished."""


def read_stdin(descriptor: int = 0) -> bytes:
    """Read standard input to its end; a closed one is empty."""
    parts = []
    while part := _read(descriptor):
        parts.append(part)
    return b"".join(parts)


def read_unforced(descriptor: int = 0, *, silence: float = SILENCE) -> tuple[bytes, bool]:
    """Read standard input that nobody asked for: to its end, or until it seems to have been left open by mistake.

    A command of the same pipeline may take its time before it writes: it ends, and with it the input. A program that
    started this one and forgot to close its input never writes and never ends.

    :param silence: how long to wait for a byte, seconds.
    :return: what was read, and whether that was all.
    """
    parts = []
    while _readable(descriptor, silence) or _others_write(descriptor):
        part = _read(descriptor) if _readable(descriptor, 0) else None
        if part is not None:
            parts.append(part)
        if part == b"":
            return b"".join(parts), True
    return b"".join(parts), False


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 1 << 20)
    except OSError:
        return b""


def _readable(descriptor: int, seconds: float) -> bool:
    """Tell whether a read would not wait: there is data, an end or an error."""
    if not hasattr(select, "poll"):
        return True
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


def _others_write(descriptor: int) -> bool:
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
