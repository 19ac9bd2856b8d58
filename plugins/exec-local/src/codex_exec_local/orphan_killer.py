"""Kill the processes that a program has left running.

This file is also a program that runs without site-packages, so it must not import anything of this project. Its
arguments are: the session of the ended program; device and inode of the stdout of a command that was about to be
started, or nothing; the marks in the environments of its commands, separated by spaces; the pids of their session
leaders.
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
"""Variable whose value (the mark) identifies the commands of a thread and all their descendants."""
_MAX_SCANS = 100
_QUIET_SCANS = 3
_PAUSE_SECONDS = 0.002
_READ_BYTES = 65536


class ProcessInfo(NamedTuple):
    """Parent and session of a process."""

    parent: int
    session: int


def main(arguments: Sequence[str]) -> None:
    """Kill the orphans that the arguments describe."""
    own_session, starting_output, marks = int(arguments[0]), arguments[1], arguments[2].split()
    kill_orphans(
        marks,
        leaders={int(leader) for leader in arguments[3:]},
        starting_output=starting_output,
        own_session=own_session,
        quiet_scans=_QUIET_SCANS,
    )


def kill_orphans(
    marks: Collection[str],
    *,
    leaders: Collection[int] = (),
    starting_output: str = "",
    own_session: int = 0,
    quiet_scans: int = 1,
) -> None:
    """Kill the processes with certain marks, those in the sessions of some leaders, and all descendants.

    They are stopped first, since a stopped process can't start others that a scan would miss. Parents and sessions are
    read only when there is something to kill: usually there is not, and a machine may have many processes.

    :param leaders: pids of session leaders.
    :param starting_output: device and inode of the stdout of a command whose pid is not known.
    :param own_session: session of the ended program, which is spared.
    :param quiet_scans: so many scans in a row have to find nothing new.
    """
    variables = [f"\0{MARK}={mark}\0".encode() for mark in marks]
    sessions = set(leaders)
    orphans: set[int] = set()
    quiet = 0
    for _ in range(_MAX_SCANS):
        marked: set[int] = set()
        if variables:  # Reading the environments of all processes takes long.
            marked = {pid for pid in _pids() if pid not in orphans and _has_variable(pid, variables)}
        new: set[int] = set()
        if marked or orphans or sessions or starting_output:
            processes = _processes()
            if starting_output:
                sessions |= {info.session for pid, info in processes.items() if _has_stdout(pid, starting_output)}
                sessions.discard(own_session)
            new = descendants(processes, sessions, orphans | marked) - orphans - {os.getpid()}
        for pid in new:
            _send(pid, SIGSTOP)
        orphans |= new
        quiet = 0 if new else quiet + 1
        if quiet == quiet_scans:
            break
        time.sleep(_PAUSE_SECONDS)
    for pid in orphans:
        _send(pid, SIGKILL)


def descendants(processes: dict[int, ProcessInfo], leaders: Collection[int], known: Collection[int]) -> set[int]:
    """Return the processes in the sessions of some leaders, the known processes, and the descendants of both."""
    children: dict[int, list[int]] = {}
    for pid, info in processes.items():
        children.setdefault(info.parent, []).append(pid)
    waiting = [pid for pid, info in processes.items() if info.session in leaders or pid in known]
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


def _processes() -> dict[int, ProcessInfo]:
    found: dict[int, ProcessInfo] = {}
    for pid in _pids():
        try:
            state, parent, _, session = _read_file(f"/proc/{pid}/stat").rpartition(b")")[2].split()[:4]
        except (OSError, ValueError):  # The process has ended.
            continue
        if state not in (b"Z", b"X"):
            found[pid] = ProcessInfo(int(parent), int(session))
    return found


def _read_file(path: str) -> bytes:
    """Return the content of a small file, with a third of the system calls of a file object."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return b"".join(iter(lambda: os.read(descriptor, _READ_BYTES), b""))
    finally:
        os.close(descriptor)


def _has_stdout(pid: int, output: str) -> bool:
    try:
        found = os.stat(f"/proc/{pid}/fd/1")
    except OSError:
        return False
    return f"{found.st_dev}:{found.st_ino}" == output


def _has_variable(pid: int, variables: Sequence[bytes]) -> bool:
    try:
        environment = b"\0" + _read_file(f"/proc/{pid}/environ")
    except OSError:  # The process has ended or belongs to another user.
        return False
    return any(variable in environment for variable in variables)


def _send(pid: int, number: int) -> None:
    with contextlib.suppress(OSError):
        os.kill(pid, number)


if __name__ == "__main__":
    main(sys.argv[1:])
