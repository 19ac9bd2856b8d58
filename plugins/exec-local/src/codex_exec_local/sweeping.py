"""Kill what a program has left running. A program of its own, which imports nothing of ours.

Its arguments: the session of the program; device and inode of the output of a command that was about to be started, or
nothing; the marks that its commands had in their environment; the leaders of the sessions that its commands had.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Collection, Sequence
from signal import SIGKILL, SIGSTOP
from typing import NamedTuple

MARK = "CODEX_THREAD_ID"
"""Variable whose value tells the commands of a thread, and all that they have started, from other processes."""
_MOST_LOOKS = 100
_QUIET_LOOKS = 3
_PAUSE_SECONDS = 0.002
_READ_BYTES = 65536


class Seen(NamedTuple):
    """A process."""

    parent: int
    session: int


def main(arguments: Sequence[str]) -> None:
    """Sweep as the arguments say."""
    own, coming, marks = int(arguments[0]), arguments[1], arguments[2].split()
    sweep(marks, leaders={int(leader) for leader in arguments[3:]}, coming=coming, own=own, quiet=_QUIET_LOOKS)


def sweep(
    marks: Collection[str], *, leaders: Collection[int] = (), coming: str = "", own: int = 0, quiet: int = 1
) -> None:
    """Kill the processes with certain marks, the sessions of some leaders, and all that descends from either.

    They are stopped first: what is stopped starts nothing that a look has missed. Who belongs to whom is looked at only
    when there is something to kill, for mostly there is not, and a machine has many processes.

    :param quiet: so many looks in a row have to find nothing new.
    """
    variables = [f"\0{MARK}={mark}\0".encode() for mark in marks]
    sessions = set(leaders)
    found: set[int] = set()
    still = 0
    for _ in range(_MOST_LOOKS):
        marked = {pid for pid in _pids() if pid not in found and _is_marked(pid, variables)} if variables else set()
        fresh: set[int] = set()
        if marked or found or sessions or coming:
            processes = _processes()
            if coming:
                sessions |= {seen.session for pid, seen in processes.items() if _writes_to(pid, coming)} - {own}
            fresh = belonging(processes, sessions, found | marked) - found - {os.getpid()}
        for pid in fresh:
            _send(pid, SIGSTOP)
        found |= fresh
        still = 0 if fresh else still + 1
        if still == quiet:
            break
        time.sleep(_PAUSE_SECONDS)
    for pid in found:
        _send(pid, SIGKILL)


def belonging(processes: dict[int, Seen], leaders: Collection[int], known: Collection[int]) -> set[int]:
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


def _pids() -> list[int]:
    if not os.path.isdir("/proc/self"):
        return []
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _processes() -> dict[int, Seen]:
    found: dict[int, Seen] = {}
    for pid in _pids():
        try:
            state, parent, _, session = _content(f"/proc/{pid}/stat").rpartition(b")")[2].split()[:4]
        except (OSError, ValueError):  # It has ended meanwhile.
            continue
        if state not in (b"Z", b"X"):
            found[pid] = Seen(int(parent), int(session))
    return found


def _content(path: str) -> bytes:
    """Return what is in a small file, in a third of the system calls that a file object makes."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return b"".join(iter(lambda: os.read(descriptor, _READ_BYTES), b""))
    finally:
        os.close(descriptor)


def _writes_to(pid: int, output: str) -> bool:
    try:
        found = os.stat(f"/proc/{pid}/fd/1")
    except OSError:
        return False
    return f"{found.st_dev}:{found.st_ino}" == output


def _is_marked(pid: int, variables: Sequence[bytes]) -> bool:
    try:
        environment = b"\0" + _content(f"/proc/{pid}/environ")
    except OSError:  # It has ended, or is another user's.
        return False
    return any(variable in environment for variable in variables)


def _send(pid: int, number: int) -> None:
    with contextlib.suppress(OSError):
        os.kill(pid, number)


if __name__ == "__main__":
    main(sys.argv[1:])
