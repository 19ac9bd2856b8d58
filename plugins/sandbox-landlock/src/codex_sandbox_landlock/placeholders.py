"""Keep empty directories at protected names while a command runs, so that there is something to make read-only.

An empty directory that nobody may write into is a placeholder. Everybody who relies on one holds a shared lock on it,
which ends with the process; who can get the lock alone removes it.
"""

from __future__ import annotations

import fcntl
import os

from codex_hookspecs.sandboxing.tracing import is_marked

_MODE = 0o1755
_TRIES = 20


class Placeholder:
    """A place that is held until it is let go.

    :param path: absolute path of the directory.
    :param descriptor: the directory, locked.
    """

    def __init__(self, path: str, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    def release(self) -> None:
        """Remove the directory when nobody else needs it and nothing was put into it."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _same(self._descriptor, self.path):
                os.rmdir(self.path)
        except OSError:
            pass
        finally:
            os.close(self._descriptor)


def hold(path: str) -> Placeholder | None:
    """Hold a place where nothing is, or only a placeholder.

    :return: ``None`` where something real is, and where nothing can be made by this user.
    """
    for _ in range(_TRIES):
        try:
            os.mkdir(path, _MODE)
        except FileExistsError:
            if not is_placeholder(path):
                return None
        except OSError:
            return None
        held = _lock(path)
        if held is not None:
            return held
    return None


def is_placeholder(path: str) -> bool:
    """Tell whether a directory of this user is empty and marked, so that it means nothing."""
    try:
        found = os.lstat(path)
        return is_marked(found.st_mode) and found.st_uid == os.geteuid() and not os.listdir(path)
    except OSError:
        return False


def _lock(path: str) -> Placeholder | None:
    """Lock a placeholder; ``None`` when it was removed meanwhile."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    if not _same(descriptor, path):
        os.close(descriptor)
        return None
    return Placeholder(path, descriptor)


def _same(descriptor: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.lstat(path))
    except OSError:
        return False
