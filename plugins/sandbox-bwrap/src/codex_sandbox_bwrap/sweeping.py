"""Remove placeholders that no sandbox relies on; imports nothing of ours, so that it runs in a bare interpreter."""

from __future__ import annotations

import fcntl
import os
import stat
import sys
import time

MARKED = 0o1755
"""Mode of a placeholder. A sticky directory that only its owner writes is nothing that people make."""

_SETTLE_SECONDS = 0.2
_READ_BYTES = 65536


def is_marked(mode: int) -> bool:
    """Tell whether the mode of a path says that it only stands there for a missing one."""
    return stat.S_ISDIR(mode) and mode & 0o1022 == stat.S_ISVTX


def is_placeholder(path: str) -> bool:
    """Tell whether a path is a directory with our mark."""
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


def sweep(paths: list[str]) -> None:
    """Remove the empty placeholders among some paths of one folder, unless a sandbox relies on any of them."""
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
    except OSError:
        return
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def wait_and_sweep() -> None:
    """Read paths from stdin, each ended by a NUL, and sweep them when whoever writes them is gone."""
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    text = b""
    while data := os.read(0, _READ_BYTES):
        text += data
    time.sleep(_SETTLE_SECONDS)  # The kernel ends the sandboxes after the launcher, not with it.
    folders: dict[str, list[str]] = {}
    for path in text.split(b"\0")[:-1]:
        decoded = os.fsdecode(path)
        folders.setdefault(os.path.dirname(decoded), []).append(decoded)
    for members in folders.values():
        sweep(members)
    sys.exit(0)


def _remove(path: str) -> None:
    try:
        os.rmdir(path)
    except OSError:  # What users put in there stays.
        return
