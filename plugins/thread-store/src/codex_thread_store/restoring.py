"""Make a file anew that was deleted or replaced while it was open: what it held can still be read."""

from __future__ import annotations

import os
import time
from contextlib import suppress

from codex_hookspecs.files import make_private
from codex_thread_store.files import FILE_MODE
from codex_thread_store.lock import lock

_PIECE = 1024 * 1024


def restore(descriptor: int, path: str, flags: int) -> tuple[int | None, str]:
    """Put what an open file holds where it belongs; what stands there now is put aside.

    :param flags: to open the new file with.
    :return: the new file, locked, and what was done; no file when another process writes what stands in its place.
    :raises OSError: when it can't be made.
    """
    make_private(os.path.dirname(path))
    aside = _put_aside(path) if os.path.lexists(path) else ""
    if aside is None:
        return None, ""
    new = f"{path}.new"
    with suppress(FileNotFoundError):
        os.unlink(new)
    made = os.open(new, flags | os.O_CREAT | os.O_EXCL, FILE_MODE)
    try:
        _copy(descriptor, made)
        lock(made)
        os.rename(new, path)
    except BaseException:
        os.close(made)
        with suppress(OSError):
            os.unlink(new)
        raise
    if aside:
        return made, f"the thread's file {path} was replaced; it is made anew, and what stood in its place is {aside}"
    return made, f"the thread's file {path} was deleted or moved away; it is made anew with all that it held"


def _put_aside(path: str) -> str | None:
    """Rename what stands at a path.

    :return: its new name; ``None`` when another process writes it.
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
