"""Recreate a file that was deleted or replaced while it was open: its content can still be read from the descriptor."""

from __future__ import annotations

import os
import time
from contextlib import suppress

from codex_hookspecs.files import make_private
from codex_thread_store.files import FILE_MODE, lock

_PIECE = 1024 * 1024


def restore(descriptor: int, path: str, flags: int) -> tuple[int | None, str]:
    """Write the content of an open file to its path again; another file at that path is renamed.

    :param flags: flags for opening the new file.
    :return: descriptor of the new file, locked, and a message about what was done; no descriptor when another process
        is writing the file that is at the path now.
    :raises OSError: when the file can't be created.
    """
    make_private(os.path.dirname(path))
    aside = _move_aside(path) if os.path.lexists(path) else ""
    if aside is None:
        return None, ""
    new = f"{path}.new"
    with suppress(FileNotFoundError):
        os.unlink(new)
    created = os.open(new, flags | os.O_CREAT | os.O_EXCL, FILE_MODE)
    try:
        _copy(descriptor, created)
        lock(created)
        os.rename(new, path)
    except BaseException:
        os.close(created)
        with suppress(OSError):
            os.unlink(new)
        raise
    if aside:
        return (
            created,
            f"the thread's file {path} was replaced; it is written again, and the other file is now {aside}",
        )
    return created, f"the thread's file {path} was deleted or moved; it is written again with all its content"


def _move_aside(path: str) -> str | None:
    """Rename the file at a path.

    :return: its new name; ``None`` when another process is writing it.
    """
    with suppress(OSError):
        other = os.open(path, os.O_RDWR | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
        try:
            if not lock(other):
                return None
        finally:
            os.close(other)
    aside = f"{path}.replaced-{time.time_ns()}"
    os.rename(path, aside)
    return aside


def _copy(source: int, target: int) -> None:
    place = 0
    while piece := os.pread(source, _PIECE, place):
        place += len(piece)
        rest = memoryview(piece)
        while rest:
            rest = rest[os.write(target, rest) :]
