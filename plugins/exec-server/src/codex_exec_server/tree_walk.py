"""List a tree of directories breadth first, within limits (``fs/walk``); uses the standard library only."""

from __future__ import annotations

import os
import stat
from collections import deque
from typing import Any, NamedTuple


class Limits(NamedTuple):
    """Limits and options of a walk.

    :param max_depth: 0 lists the entries of the root only.
    :param follow: whether symlinks to directories are followed.
    :param prune_hidden: whether directories whose name begins with a dot are listed but not entered.
    """

    max_depth: int
    max_directories: int
    max_entries: int
    follow: bool
    prune_hidden: bool


def walk(root: str, limits: Limits) -> dict[str, Any]:
    """Return the entries below a directory, sorted by name within each directory.

    :raises OSError: when the root does not exist.
    """
    entries: list[dict[str, str]] = []
    errors: list[dict[str, str]] = []
    truncated = False
    if not stat.S_ISDIR((os.stat if limits.follow else os.lstat)(root).st_mode):
        return {"entries": [], "errors": [], "truncated": False}
    queue = deque([(root, 0)])
    seen = {os.path.realpath(root)}
    visited = 0
    while queue:
        if visited >= limits.max_directories:
            truncated = True
            break
        folder, depth = queue.popleft()
        visited += 1
        try:
            found = _kinds(folder, limits.follow)
        except OSError as error:
            errors.append({"path": folder, "message": f"{error.strerror} (os error {error.errno})"})
            continue
        for name, kind in found:
            if len(entries) >= limits.max_entries:
                return {"entries": entries, "errors": errors, "truncated": True}
            path = os.path.join(folder, name)
            entries.append({"path": path, "kind": kind})
            hidden = limits.prune_hidden and name.startswith(".")
            if kind == "directory" and not hidden and depth < limits.max_depth:
                real = os.path.realpath(path)
                if real not in seen:
                    seen.add(real)
                    queue.append((path, depth + 1))
    return {"entries": entries, "errors": errors, "truncated": truncated}


def _kinds(folder: str, follow: bool) -> list[tuple[str, str]]:
    found = []
    with os.scandir(folder) as scan:
        for entry in scan:
            if _is_directory(entry, follow):
                found.append((entry.name, "directory"))
            elif entry.is_file(follow_symlinks=False):
                found.append((entry.name, "file"))
    return sorted(found)


def _is_directory(entry: os.DirEntry[str], follow: bool) -> bool:
    try:
        return entry.is_dir(follow_symlinks=follow)
    except OSError:
        return False
