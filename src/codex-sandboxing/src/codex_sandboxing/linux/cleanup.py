"""Kill the processes that are left of sandboxes, and remove placeholders that no sandbox uses.

Imports nothing of this project, so that it runs in a bare interpreter: ``cleanup.py FOLDER:NAME:… …``, all in
hexadecimal. Descriptor 3 is the reading end of a pipe whose other end every process of a sandbox has open.
"""

from __future__ import annotations

import fcntl
import os
import select
import stat
import sys
import time

MARKED = 0o1755
"""Mode of a placeholder. Nobody makes sticky directories that only the owner can write for another purpose."""

_LIFE, _KILL = 3, 9
_LIMIT, _PATIENCE = 10.0, 2.0
_PAUSE_MS = 10
_SETTLE_SECONDS = 0.02
"""The descriptors of a process are closed a moment before it is gone."""

_READ_BYTES = 65536


def is_marked(mode: int) -> bool:
    """Tell whether the mode of a path marks a placeholder."""
    return stat.S_ISDIR(mode) and mode & 0o1022 == stat.S_ISVTX


def is_placeholder(path: str) -> bool:
    """Tell whether a path is a placeholder."""
    try:
        return is_marked(os.lstat(path).st_mode)
    except OSError:
        return False


def opened(path: str) -> int | None:
    """Return a descriptor of a directory, ``None`` when there is none that can be read."""
    try:
        return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None


def sweep(paths: list[str]) -> bool:
    """Remove the empty placeholders among some paths of one folder, unless a sandbox uses any of them.

    :return: whether none does.
    """
    descriptors: list[int] = []
    try:
        marked = [path for path in paths if is_placeholder(path)]
        for path in marked:
            descriptor = opened(path)
            if descriptor is not None:
                descriptors.append(descriptor)
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for path in marked:
            _remove(path)
    except OSError as error:
        return not isinstance(error, BlockingIOError)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
    return True


def read_orders() -> None:
    """Read start and end messages from stdin until EOF, then clean up after the sandboxes that did not end."""
    text = b""
    while data := os.read(0, _READ_BYTES):
        text += data
    count = 0
    places: list[str] = []
    for line in text.decode("ascii").splitlines():
        what, _, place = line.partition(" ")
        if what == "guard":
            places.append(place)
        else:
            count += 1 if what == "began" else -1
            if not count:
                places.clear()
    if count:
        clear_up(places)


def clear_up(places: list[str]) -> None:
    """Kill all sandboxes, then remove their placeholders.

    :param places: a folder and names in it, in hexadecimal, with colons between.
    """
    _end_all()
    # A launcher that was killed may not have released its locks yet; other sandboxes remove what they use themselves.
    end = time.monotonic() + _PATIENCE
    for place in places:
        folder, *names = (os.fsdecode(bytes.fromhex(word)) for word in place.split(":"))
        while not sweep([f"{folder}/{name}" for name in names]) and time.monotonic() < end:
            time.sleep(_PAUSE_MS / 1000)


def _end_all() -> None:
    """Kill the processes that have the other end of the pipe open, until there are none."""
    pipe = f"pipe:[{os.fstat(_LIFE).st_ino}]"
    poll = select.poll()
    poll.register(_LIFE, 0)
    end = time.monotonic() + _LIMIT
    pause = 0
    while not poll.poll(pause) and time.monotonic() < end:
        for pid in _holders(pipe):
            try:
                os.kill(pid, _KILL)
            except OSError:  # It is gone.
                continue
        pause = _PAUSE_MS
    time.sleep(_SETTLE_SECONDS)


def _holders(pipe: str) -> list[int]:
    """Return the other processes that have a pipe open."""
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        try:
            if any(os.readlink(f"/proc/{name}/fd/{number}") == pipe for number in os.listdir(f"/proc/{name}/fd")):
                found.append(int(name))
        except OSError:  # It is gone, or not ours.
            continue
    return found


def _remove(path: str) -> None:
    try:
        os.rmdir(path)
    except OSError:  # What users put in there stays.
        return


if __name__ == "__main__":
    clear_up(sys.argv[1:])
