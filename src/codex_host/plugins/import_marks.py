"""Record on disk which plugin is being imported, so that the next start can tell which one crashed the program."""

from __future__ import annotations

import json
import os
from contextlib import suppress

from codex_hookspecs.state_file import make_private

_PREFIX = "importing-"
_MAX_BYTES = 65536


class ImportMark:
    """The mark of this process: a file lock that the kernel releases when the process ends.

    No mark is made if the folder is not writable.

    :param home: ``$CODEX_HOME``.
    """

    def __init__(self, home: str) -> None:
        self._path = os.path.join(home, "plugins", f"{_PREFIX}{os.getpid()}")
        self._descriptor: int | None = None
        self._marked = False

    def begin(self, plugin: str, version: str) -> None:
        """Record that a plugin is about to be imported."""
        with suppress(OSError, ImportError):
            if self._descriptor is None:
                self._descriptor = _open_locked(self._path)
            text = json.dumps([plugin, version]).encode()
            os.truncate(self._descriptor, os.pwrite(self._descriptor, text, 0))
            self._marked = True

    def over(self) -> None:
        """Record that the import is finished, whether it succeeded or not."""
        self._marked = False
        with suppress(OSError):
            if self._descriptor is not None:
                os.truncate(self._descriptor, 0)

    def close(self) -> None:
        """Remove the mark, unless an import is in progress."""
        if self._descriptor is None or self._marked:
            return
        with suppress(OSError):
            os.unlink(self._path)
        os.close(self._descriptor)
        self._descriptor = None


def crashed_imports(home: str) -> list[tuple[str, str]]:
    """Return plugins, with versions, whose import crashed a process; their marks are removed."""
    found = []
    folder = os.path.join(home, "plugins")
    with suppress(OSError, ImportError):
        for name in os.listdir(folder):
            if name.startswith(_PREFIX) and name != f"{_PREFIX}{os.getpid()}":
                found += _read_stale(os.path.join(folder, name))
    return found


def _read_stale(path: str) -> list[tuple[str, str]]:
    """Return the content of a mark whose process is gone, and remove it."""
    try:
        descriptor = _open_locked(path)
    except OSError:
        return []
    try:
        plugin, version = json.loads(os.pread(descriptor, _MAX_BYTES, 0))
        return [(str(plugin), str(version))]
    except (OSError, ValueError, TypeError, RecursionError):
        return []
    finally:
        with suppress(OSError):
            os.unlink(path)
        os.close(descriptor)


def _open_locked(path: str) -> int:
    """Open a mark and lock it.

    :raises OSError: when it can't be written, or another process holds the lock.
    :raises ImportError: on platforms without ``fcntl``.
    """
    import fcntl

    make_private(os.path.dirname(path))
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
