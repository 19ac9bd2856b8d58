"""Write small files that outlive the program, private to the user, and change them one process at a time."""

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
"""Seconds that may pass between making a file and locking it."""
_CLOEXEC = getattr(os, "O_CLOEXEC", 0)


def replace_file(path: str | os.PathLike[str], text: str, *, mode: int = 0o600) -> None:
    """Replace a file as a whole: a reader, or the next start after a crash, finds the old content or the new.

    What killed programs had begun to write beside it goes away.

    :param mode: permissions of the file.
    :raises OSError: when it can't be written; the old content stays.
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
    except BaseException:  # a signal may end the program here
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def _remove_unfinished(folder: str, name: str) -> None:
    """Remove what was begun beside a file by programs that are no more: they hold no lock of it."""
    for found in os.listdir(folder):
        if found.startswith(f".{name}.") and found.endswith(_UNFINISHED):
            left = os.path.join(folder, found)
            with suppress(OSError):
                if time.time() - os.stat(left).st_mtime < _LONGEST_BEGIN:
                    continue  # its program may be about to lock it
                descriptor = os.open(left, os.O_RDWR | _CLOEXEC)
                try:
                    free = _try_lock(descriptor)
                finally:
                    os.close(descriptor)
                if free:
                    os.unlink(left)


def make_private(folder: str | os.PathLike[str]) -> None:
    """Make a folder and those above it that are missing, for the user alone; those that exist stay as they are.

    :raises OSError: when it can't be made.
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
    """Hold the lock of the folder that a file of state is in; who changes the file reads it anew inside.

    :param seconds: how long to wait for others.
    :raises OSError: when the lock can't be had: the folder can't be written, its file system knows no locks, or another
        program holds it all the time.
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
    """Lock a file if that can be done at once; not where the file system knows no locks."""
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
