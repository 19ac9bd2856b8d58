"""Open files and directories so that where they really are can be asked before they are used.

A path says where something was when it was looked up. Commands that run meanwhile can exchange any part of it for a
link, so what a scope allows is compared with what the kernel says of the opened descriptor, and the work is done
relative to that.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

from codex_hookspecs.errors import FileSystemError

Allowed = Callable[[str], bool] | None
"""Says of a real path whether it may be used; ``None`` allows all."""

FOLDER = os.O_DIRECTORY | os.O_CLOEXEC | getattr(os, "O_PATH", os.O_RDONLY)
_LOOK = os.O_CLOEXEC | getattr(os, "O_PATH", os.O_RDONLY | os.O_NONBLOCK)
_GET_PATH = 50  # F_GETPATH of macOS
_PATH_BYTES = 1024
_RESOLUTIONS = 16


def real_path(path: str) -> str:
    """Resolve all links of a path, anew where one became something else between being found and being read.

    :raises OSError: when that goes on and on.
    """
    for _ in range(_RESOLUTIONS - 1):
        try:
            return os.path.realpath(path)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
    return os.path.realpath(path)


def real_place(descriptor: int) -> str:
    """Return the path at which the kernel has an open file or directory now."""
    if sys.platform == "darwin":
        import fcntl

        return os.fsdecode(fcntl.fcntl(descriptor, _GET_PATH, bytes(_PATH_BYTES)).rstrip(b"\0"))
    return os.readlink(f"/proc/self/fd/{descriptor}")


def require(allowed: Allowed, path: str) -> None:
    """Refuse a real path that may not be changed.

    :raises OSError: as the kernel would in a sandbox.
    """
    if allowed is not None and not allowed(path):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)


def require_readable(allowed: Allowed, path: str) -> None:
    """Refuse a real path that may not be read.

    :raises PermissionError: as the kernel would.
    """
    if allowed is not None and not allowed(path):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)


@contextmanager
def parent_of(path: str, allowed: Allowed, *, follow: bool) -> Iterator[tuple[int, str]]:
    """Open the directory that a path lies in.

    :param follow: a link at the path itself stands for what it leads to.
    :return: the directory and the name in it, which may lead nowhere else: use it without following links.
    :raises OSError: when there is no such directory, or it may not be used.
    """
    folder, name = os.path.split(real_path(path) if follow else os.path.normpath(path))
    descriptor = os.open(folder, FOLDER)
    try:
        if allowed is not None:
            require(allowed, os.path.join(real_place(descriptor), name))
        yield descriptor, name or "."
    finally:
        os.close(descriptor)


@contextmanager
def looked_at(path: str, allowed: Allowed) -> Iterator[int | None]:
    """Open what a path leads to, only to look at it.

    :return: the descriptor, ``None`` where everything is allowed: nothing has to be opened then.
    :raises OSError: when it may not be looked at.
    """
    if allowed is None:
        yield None
        return
    descriptor = os.open(path, _LOOK)
    try:
        require_readable(allowed, real_place(descriptor))
        yield descriptor
    finally:
        os.close(descriptor)


def open_regular(path: str, allowed: Allowed) -> BinaryIO:
    """Open a regular file for reading.

    :raises FileSystemError: when it is something else, which is not opened: a pipe would notice.
    """
    descriptor = -1
    if stat.S_ISREG(os.stat(path).st_mode):
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if descriptor < 0 or not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise FileSystemError(f"path `{path}` is not a file", path=path)
        if allowed is not None:
            require_readable(allowed, real_place(descriptor))
    except BaseException:
        if descriptor >= 0:
            os.close(descriptor)
        raise
    return open(descriptor, "rb")


def make_directories(path: str, allowed: Allowed) -> None:
    """Make a directory and what is missing above it; each is made in the one that was made or found before.

    :raises OSError: when one of them may not be made, or something else stands there.
    """
    if allowed is None:
        os.makedirs(path, exist_ok=True)
        return
    missing: list[str] = []
    place = real_path(path)
    while not os.path.lexists(place):
        place, name = os.path.split(place)
        missing.append(name)
    descriptor = os.open(place, FOLDER)
    try:
        for name in reversed(missing):
            require(allowed, os.path.join(real_place(descriptor), name))
            with suppress(FileExistsError):  # Somebody else made it meanwhile; a link is refused below.
                os.mkdir(name, dir_fd=descriptor)
            inner = os.open(name, FOLDER | os.O_NOFOLLOW, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
    finally:
        os.close(descriptor)
