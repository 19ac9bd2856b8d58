"""Open files and directories first, then check where they really are, then use them.

A path may lead elsewhere by the time it is used: a command that runs meanwhile can replace any part of it by a symbolic
link. So a scope is checked against the path that the kernel reports for the opened descriptor, and operations are
relative to that descriptor.
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
"""Returns whether a resolved path may be used; ``None`` allows all."""

DIRECTORY = os.O_DIRECTORY | os.O_CLOEXEC | getattr(os, "O_PATH", os.O_RDONLY)
_LOOKUP = os.O_CLOEXEC | getattr(os, "O_PATH", os.O_RDONLY | os.O_NONBLOCK)
_GET_PATH = 50  # F_GETPATH of macOS
_PATH_BYTES = 1024
_RESOLUTIONS = 16


def real_path(path: str) -> str:
    """Resolve all links of a path; retry when a link is replaced during that.

    :raises OSError: when it fails repeatedly.
    """
    for _ in range(_RESOLUTIONS - 1):
        try:
            return os.path.realpath(path)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
    return os.path.realpath(path)


def descriptor_path(descriptor: int) -> str:
    """Return the current path of an open file or directory, as the kernel reports it."""
    if sys.platform == "darwin":
        import fcntl

        return os.fsdecode(fcntl.fcntl(descriptor, _GET_PATH, bytes(_PATH_BYTES)).rstrip(b"\0"))
    return os.readlink(f"/proc/self/fd/{descriptor}")


def require(allowed: Allowed, path: str) -> None:
    """Check that a resolved path may be written.

    :raises OSError: with ``EROFS``, as in a sandbox, when it may not.
    """
    if allowed is not None and not allowed(path):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)


def require_readable(allowed: Allowed, path: str) -> None:
    """Check that a resolved path may be read.

    :raises PermissionError: when it may not.
    """
    if allowed is not None and not allowed(path):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)


@contextmanager
def open_parent(path: str, allowed: Allowed, *, follow: bool) -> Iterator[tuple[int, str]]:
    """Open the parent directory of a path.

    :param follow: if the path is a link, use the parent of its target.
    :return: descriptor of the directory and the name in it; do not follow links when using the name.
    :raises OSError: when there is no such directory, or the path is not allowed.
    """
    folder, name = os.path.split(real_path(path) if follow else os.path.normpath(path))
    descriptor = os.open(folder, DIRECTORY)
    try:
        if allowed is not None:
            require(allowed, os.path.join(descriptor_path(descriptor), name))
        yield descriptor, name or "."
    finally:
        os.close(descriptor)


@contextmanager
def open_for_lookup(path: str, allowed: Allowed) -> Iterator[int | None]:
    """Open a path for queries (``O_PATH``), following links.

    :return: the descriptor; ``None`` when everything is allowed, as nothing has to be checked then.
    :raises OSError: when the path is not allowed.
    """
    if allowed is None:
        yield None
        return
    descriptor = os.open(path, _LOOKUP)
    try:
        require_readable(allowed, descriptor_path(descriptor))
        yield descriptor
    finally:
        os.close(descriptor)


def open_regular(path: str, allowed: Allowed) -> BinaryIO:
    """Open a regular file for reading; see :func:`open_to_read`."""
    return open(open_to_read(path, allowed), "rb")


def open_to_read(path: str, allowed: Allowed) -> int:
    """Open a regular file for reading and return its descriptor.

    :raises FileSystemError: when it is not one; it is not opened then, since the other end of a pipe would notice.
    """
    descriptor = -1
    if stat.S_ISREG(os.stat(path).st_mode):
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if descriptor < 0 or not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise FileSystemError(f"path `{path}` is not a file", path=path)
        if allowed is not None:
            require_readable(allowed, descriptor_path(descriptor))
    except BaseException:
        if descriptor >= 0:
            os.close(descriptor)
        raise
    return descriptor


def open_to_replace(path: str, allowed: Allowed) -> int:
    """Open a regular file for writing, truncated, or created if it is missing, and return its descriptor.

    :raises FileSystemError: when something else is there.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NONBLOCK | os.O_CLOEXEC
    if allowed is None:
        descriptor = os.open(path, flags, 0o666)
    else:
        with open_parent(path, allowed, follow=True) as (folder, name):
            descriptor = os.open(name, flags | os.O_NOFOLLOW, 0o666, dir_fd=folder)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise FileSystemError(f"path `{path}` is not a file", path=path)
    return descriptor


def make_directories(path: str, allowed: Allowed) -> None:
    """Create a directory and its missing parents, each relative to the descriptor of its parent.

    :raises OSError: when one of them is not allowed, or a file is in the way.
    """
    if allowed is None:
        os.makedirs(path, exist_ok=True)
        return
    missing: list[str] = []
    existing = real_path(path)
    while not os.path.lexists(existing):
        existing, name = os.path.split(existing)
        missing.append(name)
    descriptor = os.open(existing, DIRECTORY)
    try:
        for name in reversed(missing):
            require(allowed, os.path.join(descriptor_path(descriptor), name))
            with suppress(FileExistsError):  # Another process created it; a link is refused below.
                os.mkdir(name, dir_fd=descriptor)
            inner = os.open(name, DIRECTORY | os.O_NOFOLLOW, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
    finally:
        os.close(descriptor)
