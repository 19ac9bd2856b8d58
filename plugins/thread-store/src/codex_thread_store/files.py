"""Open files of a home: regular files only, so that opening a FIFO can't block."""

from __future__ import annotations

import errno
import os
import stat
from typing import BinaryIO

FILE_MODE = 0o600


def open_file(path: str) -> BinaryIO:
    """Open a file for reading.

    :raises OSError: when that fails, or it is not a regular file.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | _CLOEXEC)
    try:
        refuse_special(descriptor)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def refuse_special(descriptor: int) -> None:
    """Check that an open file is a regular file.

    :raises OSError: when it is not.
    """
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        code = errno.EISDIR if stat.S_ISDIR(mode) else errno.EINVAL
        raise OSError(code, os.strerror(code) if stat.S_ISDIR(mode) else "it is not a regular file")


def is_file_at(descriptor: int, path: str) -> bool:
    """Tell whether a path still leads to an open file."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except OSError:
        return False


_CLOEXEC = getattr(os, "O_CLOEXEC", 0)
