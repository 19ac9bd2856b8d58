"""Read files that people name: regular ones only, and not without end."""

from __future__ import annotations

import errno
import os
import stat


def read_regular(path: str, limit: int) -> bytes:
    """Return what a file holds, at most ``limit`` bytes of it.

    :raises OSError: when it can't be read, or is a pipe, a device or a directory, which might never end.
    """
    _require_regular(os.stat(path).st_mode, path)
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NONBLOCK", 0))
    with open(descriptor, "rb") as file:
        _require_regular(os.fstat(descriptor).st_mode, path)
        return file.read(limit)


def _require_regular(mode: int, path: str) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "Not a regular file", path)
