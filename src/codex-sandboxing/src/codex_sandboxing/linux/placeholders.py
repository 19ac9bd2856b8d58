"""Keep protected paths that do not exist from being created: empty directories are their placeholders.

A mount needs a mount point. Placeholders are marked with the sticky bit, by which every process recognizes them. They
are locked as long as a sandbox uses them and removed afterwards; one that a user has put files in stays.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time

from codex_hookspecs.errors import SandboxUnavailable
from codex_sandboxing.linux.cleanup import MARKED, is_placeholder, opened, sweep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_PATIENCE = 2.0
_NOT_OURS = (errno.EACCES, errno.EPERM, errno.EROFS)


class Placeholders:
    """The placeholders of one sandbox.

    :param paths: absolute; each one's parent exists.
    :param launcher: name of the launcher, for errors.
    :raises SandboxUnavailable: when one can't be made although a command could make it.
    """

    def __init__(self, paths: Iterable[str], launcher: str = "bwrap") -> None:
        self._launcher = launcher
        self._folders: dict[str, list[str]] = {}
        self._locks: dict[str, int] = {}
        self.left_out: set[str] = set()
        for path in paths:
            self._folders.setdefault(os.path.dirname(path), []).append(path)
        try:
            for folder, members in self._folders.items():
                self._create(folder, members)
        except BaseException:
            self.release()
            raise

    @property
    def paths(self) -> tuple[str, ...]:
        """The placeholders, and what others have made at these paths."""
        return tuple(path for members in self._folders.values() for path in members if path not in self.left_out)

    def release(self) -> None:
        """Release the locks and remove the placeholders that no other sandbox uses."""
        for descriptor in self._locks.values():
            os.close(descriptor)
        self._locks.clear()
        for members in self._folders.values():
            sweep(members)
        self._folders.clear()

    def _create(self, folder: str, members: list[str]) -> None:
        """Create the placeholders of one folder and lock one of them, which protects them all."""
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            present = [path for path in members if self._make(path)]
            marked = [path for path in present if is_placeholder(path)]
            descriptor = _locked(marked[0]) if marked else None
            if (descriptor is not None or not marked) and all(map(os.path.lexists, present)):
                if descriptor is not None:
                    self._locks[folder] = descriptor
                return
            if descriptor is not None:
                os.close(descriptor)
            time.sleep(0.001)
        raise SandboxUnavailable(
            f"the command was not run: {self._launcher} cannot keep {members[0]} from being created, another process "
            "has locked it; end that process or make the directory"
        )

    def _make(self, path: str) -> bool:
        """Make one directory unless it exists; tell whether it exists now."""
        try:
            os.mkdir(path, MARKED)
        except FileExistsError:
            return True
        except OSError as error:
            if error.errno not in _NOT_OURS or _could_be_made(os.path.dirname(path)):
                raise SandboxUnavailable(
                    f"the command was not run: {self._launcher} cannot keep {path} from being created: "
                    f"{error.strerror}; make that directory or take its folder out of the writable roots"
                ) from error
            self.left_out.add(path)
            return False
        return True


def _locked(path: str) -> int | None:
    """Return the descriptor of a locked directory, ``None`` when it is removed or about to be."""
    descriptor = opened(path)
    if descriptor is None:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        found, kept = os.stat(path, follow_symlinks=False), os.fstat(descriptor)
        if (found.st_dev, found.st_ino) == (kept.st_dev, kept.st_ino):
            return descriptor
    except OSError:
        pass
    os.close(descriptor)
    return None


def _could_be_made(folder: str) -> bool:
    """Tell whether a command of ours could make names in a folder, by changing its mode if need be."""
    try:
        return os.access(folder, os.W_OK) or os.stat(folder).st_uid == os.geteuid() != 0
    except OSError:
        return False
