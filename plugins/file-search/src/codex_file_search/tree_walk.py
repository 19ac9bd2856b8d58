"""List the files and directories below a directory, in a worker thread."""

from __future__ import annotations

import os
import time
from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

from codex_file_search.ignore_rules import IgnoreRules

if TYPE_CHECKING:
    from threading import Event

MAX_ENTRIES: Final = 200_000
"""Maximum number of files and directories of one root."""
WALK_SECONDS: Final = 20.0
_MAX_DEPTH: Final = 64


class Entry(NamedTuple):
    """A file or directory.

    :param path: relative to the root.
    """

    path: str
    directory: bool


def walk(root: str, stop: Event) -> list[Entry]:
    """Return what is below a directory, breadth first, without ignored files and ``.git``.

    Symbolic links are followed, each linked directory once. Directories that can't be read are left out.

    :param root: absolute path.
    :param stop: ends the walk early when set.
    """
    found: list[Entry] = []
    deadline = time.monotonic() + WALK_SECONDS
    root = os.path.normpath(root)
    linked = {_identity(root)}
    waiting = deque([("", IgnoreRules.of_root(root))] if os.path.isdir(root) else [])
    while waiting and not stop.is_set() and len(found) < MAX_ENTRIES and time.monotonic() < deadline:
        prefix, rules = waiting.popleft()
        directory = os.path.join(root, prefix.rstrip("/")) if prefix else root
        try:
            with os.scandir(directory) as scan:
                entries = list(scan)
        except OSError:
            continue
        if prefix:
            rules = rules.below(directory, {entry.name for entry in entries})
        for entry in sorted(entries, key=lambda entry: entry.name):
            is_directory = _is_directory(entry)
            if entry.name == ".git" or rules.ignores(entry.path, directory=is_directory):
                continue
            path = prefix + entry.name
            found.append(Entry(path, is_directory))
            if is_directory and path.count("/") < _MAX_DEPTH and not _was_linked(entry, linked):
                waiting.append((f"{path}/", rules))
    return found[:MAX_ENTRIES]


def _is_directory(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _was_linked(entry: os.DirEntry[str], linked: set[tuple[int, int] | None]) -> bool:
    """Return whether an entry is a symbolic link to a directory that another one led to before, and remember it."""
    if not entry.is_symlink():
        return False
    identity = _identity(entry.path)
    known = identity in linked
    linked.add(identity)
    return known


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
