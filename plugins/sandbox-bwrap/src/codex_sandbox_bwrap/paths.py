"""Look at what is really on disk where a policy names paths."""

from __future__ import annotations

import os
import stat

from codex_hookspecs.errors import SandboxUnavailable
from codex_hookspecs.sandboxing.resolution import is_below
from codex_sandbox_bwrap.sweeping import is_marked


def real_path(path: str) -> str | None:
    """Return a path with its links resolved; ``None`` where nothing exists.

    :raises SandboxUnavailable: for a loop of links, or a directory that can't be looked into.
    """
    try:
        return os.path.realpath(path, strict=True)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise SandboxUnavailable(
            f"the command was not run: bwrap cannot hold the sandbox policy for {path}: {error.strerror}; "
            "correct the path in the policy"
        ) from error


def mode_of(path: str) -> int | None:
    """Return the mode of a path, links not followed; ``None`` where nothing exists."""
    try:
        return os.lstat(path).st_mode
    except OSError:
        return None


def is_directory(path: str) -> bool:
    """Tell whether a path itself is a directory."""
    mode = mode_of(path)
    return mode is not None and stat.S_ISDIR(mode)


def first_missing(path: str, root: str) -> str | None:
    """Return the first part of a path below a root that does not exist, but for us; ``None`` when all of it does.

    :raises SandboxUnavailable: when a link is on the way: a command could put something else in its place.
    """
    current = root.rstrip("/")
    for part in path[len(current) :].strip("/").split("/"):
        current = f"{current}/{part}"
        mode = mode_of(current)
        if mode is None or is_marked(mode):
            return current
        if stat.S_ISLNK(mode):
            raise SandboxUnavailable(
                f"the command was not run: cannot enforce sandbox read-only path {path} because it crosses writable "
                f"symlink {current}; replace the link with a directory, or run with --sandbox danger-full-access"
            )
    return None


def rebased(path: str, spelled: str, real: str) -> str | None:
    """Return a path below a root in terms of the root's real path, the rest as it is spelled.

    :param spelled: the root as the policy spells it.
    :param real: the root with its links resolved.
    :return: ``None`` when the path is not below the root.
    """
    if is_below(path, real):
        return path
    if is_below(path, spelled):
        return real.rstrip("/") + path[len(spelled.rstrip("/")) :]
    found = os.path.realpath(path)
    return found if is_below(found, real) else None
