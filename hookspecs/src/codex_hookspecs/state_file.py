"""Write small state files atomically, private to the user, with locks between processes."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

LOCK_FILE = ".state.lock"
LOCK_SECONDS = 20.0
_PAUSE = 0.02
_UNFINISHED = ".new"
_LONGEST_BEGIN = 0.2
"""Seconds that may pass between creating a file and locking it."""
_CLOEXEC = getattr(os, "O_CLOEXEC", 0)


def replace_file(path: str | os.PathLike[str], text: str, *, mode: int = 0o600) -> None:
    """Replace a file atomically: after a crash it has either the old or the new content.

    Temporary files of killed processes beside it are removed.

    :param mode: permissions of the file.
    :raises OSError: when it can't be written; the old content is kept.
    """
    folder, name = os.path.split(path)
    make_private(folder)
    _remove_unfinished(folder, name)
    temporary = os.path.join(folder, f".{name}.{os.getpid()}-{os.urandom(4).hex()}{_UNFINISHED}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _CLOEXEC, 0o600)
        _try_lock(descriptor)
        with open(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:  # a signal may interrupt the program here
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def _remove_unfinished(folder: str, name: str) -> None:
    """Remove temporary files of processes that have died, which therefore hold no lock."""
    for found in os.listdir(folder):
        if found.startswith(f".{name}.") and found.endswith(_UNFINISHED):
            left = os.path.join(folder, found)
            with suppress(OSError):
                if time.time() - os.stat(left).st_mtime < _LONGEST_BEGIN:
                    continue  # its process may be about to lock it
                descriptor = os.open(left, os.O_RDWR | _CLOEXEC)
                try:
                    free = _try_lock(descriptor)
                finally:
                    os.close(descriptor)
                if free:
                    os.unlink(left)


def make_private(folder: str | os.PathLike[str]) -> None:
    """Create a folder and its missing parents with access for the user only; existing ones are not changed.

    :raises OSError: when it can't be created.
    """
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        if not os.path.isdir(folder):
            raise
    except FileNotFoundError:
        above = os.path.dirname(folder)
        if above in ("", folder):
            raise
        make_private(above)
        make_private(folder)


@contextmanager
def locked(path: str | os.PathLike[str], *, seconds: float = LOCK_SECONDS) -> Iterator[None]:
    """Hold the lock for state files of a folder; read the file inside before changing it.

    :param seconds: how long to wait for other processes.
    :raises OSError: when the lock can't be acquired: the folder can't be written, its file system has no locks, or
        another process holds the lock.
    """
    folder = os.path.dirname(path)
    make_private(folder)
    file = os.path.join(folder, LOCK_FILE)
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
    try:
        _wait_for(descriptor, file, seconds)
        yield
    finally:
        os.close(descriptor)


def _wait_for(descriptor: int, file: str, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not _take(descriptor, file):
        if time.monotonic() > end:
            raise OSError(f"another program has held {file} for {seconds:g} s; end it and try again")
        time.sleep(_PAUSE)


def _try_lock(descriptor: int) -> bool:
    """Try to lock a file without waiting; return false if the file system has no locks."""
    try:
        return _take(descriptor, "")
    except OSError:
        return False


def _take(descriptor: int, file: str) -> bool:
    if sys.platform == "win32":
        import msvcrt

        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise OSError(f"{file} can't be locked: {error.strerror}") from error
    return True
