"""Open files of a home, regular files only, so that opening a FIFO can't block; let one process at a time write one."""

from __future__ import annotations

import errno
import os
import stat
import sys
from typing import BinaryIO

FILE_MODE = 0o600
_CLOEXEC = getattr(os, "O_CLOEXEC", 0)
_UNSUPPORTED = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)


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


def lock(descriptor: int) -> bool:
    """Take the writer's lock of an open file; it is released when the file is closed or the process dies.

    :return: whether it was free; always ``True`` on a file system without locks.
    """
    if sys.platform == "win32":
        return _lock_far_byte(descriptor)
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        return error.errno in _UNSUPPORTED
    return True


def find_codex_lock(home: str, thread_id: str) -> str | None:
    """Return the lock file with which a running Codex of 0.169 or later has locked a thread, or ``None``.

    :param home: ``$CODEX_HOME``.
    """
    path = codex_lock_path(home, thread_id)
    try:
        descriptor = os.open(path, os.O_RDWR | getattr(os, "O_CLOEXEC", 0))
    except OSError:
        return None
    try:
        return None if lock(descriptor) else path
    finally:
        os.close(descriptor)


def codex_lock_path(home: str, thread_id: str) -> str:
    """Return the path of the file that a running Codex of 0.169 or later locks for a thread."""
    return os.path.join(home, "thread-writer-locks", f"{thread_id}.lock")


def holder_of(path: str) -> str:
    """Return who holds the lock of a file, for messages to users."""
    pid = find_holder(path)
    return "another process" if pid is None else "this process" if pid == os.getpid() else f"process {pid}"


def find_holder(path: str) -> int | None:
    """Return the id of the process that holds the lock of a file, where the system provides it."""
    try:
        inode = os.stat(path).st_ino
        with open("/proc/locks", encoding="ascii", errors="replace") as table:
            rows = [line.split() for line in table]
    except OSError:
        return None
    for row in rows:
        if len(row) > 5 and row[1] == "FLOCK" and row[5].rpartition(":")[2] == str(inode) and int(row[4]) > 0:
            return int(row[4])
    return None


if sys.platform == "win32":

    def _lock_far_byte(descriptor: int) -> bool:
        import msvcrt

        here = os.lseek(descriptor, 0, os.SEEK_CUR)
        try:
            os.lseek(descriptor, 1 << 40, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(descriptor, here, os.SEEK_SET)
        return True
