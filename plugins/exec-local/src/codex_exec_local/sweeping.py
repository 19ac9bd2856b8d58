"""Kill what a program that was killed has left running. A program of its own, which imports nothing of ours.

Its arguments: the session of the killed program; device and inode of the output of a command that was about to be
started, or nothing; the leaders of the sessions that its commands had.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Sequence
from signal import SIGKILL, SIGSTOP
from typing import NamedTuple

_MOST_LOOKS = 100
_QUIET_LOOKS = 3
_PAUSE_SECONDS = 0.002


class Seen(NamedTuple):
    """A process."""

    parent: int
    session: int


def sweep(arguments: Sequence[str]) -> None:
    """Kill the sessions of some leaders and all that descends from them.

    They are stopped first: what is stopped starts nothing that a look has missed.
    """
    own, coming, leaders = int(arguments[0]), arguments[1], {int(leader) for leader in arguments[2:]}
    found: set[int] = set()
    quiet = 0
    for _ in range(_MOST_LOOKS):
        processes = _processes()
        if coming:
            leaders |= {seen.session for pid, seen in processes.items() if _writes_to(pid, coming)} - {own}
        fresh = belonging(processes, leaders, found) - found
        for pid in fresh:
            _send(pid, SIGSTOP)
        found |= fresh
        quiet = 0 if fresh else quiet + 1
        if quiet == _QUIET_LOOKS:
            break
        time.sleep(_PAUSE_SECONDS)
    for pid in found:
        _send(pid, SIGKILL)


def belonging(processes: dict[int, Seen], leaders: set[int], known: set[int]) -> set[int]:
    """Return the processes in the sessions of some leaders, known ones, and all that descend from these."""
    children: dict[int, list[int]] = {}
    for pid, seen in processes.items():
        children.setdefault(seen.parent, []).append(pid)
    waiting = [pid for pid, seen in processes.items() if seen.session in leaders or pid in known]
    found: set[int] = set()
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found.add(pid)
            waiting += children.get(pid, ())
    return found


def _processes() -> dict[int, Seen]:
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    state, parent, _, session = file.read().rpartition(b")")[2].split()[:4]
            except (OSError, ValueError):  # It has ended meanwhile.
                continue
            if state not in (b"Z", b"X"):
                found[int(name)] = Seen(int(parent), int(session))
    return found


def _writes_to(pid: int, output: str) -> bool:
    try:
        found = os.stat(f"/proc/{pid}/fd/1")
    except OSError:
        return False
    return f"{found.st_dev}:{found.st_ino}" == output


def _send(pid: int, number: int) -> None:
    with contextlib.suppress(OSError):
        os.kill(pid, number)


if __name__ == "__main__":
    sweep(sys.argv[1:])
