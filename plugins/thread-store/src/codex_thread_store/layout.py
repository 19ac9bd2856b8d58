"""Where rollout files are: names, directories and the search for one (layout of Codex 0.118)."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

SESSIONS = "sessions"
ARCHIVED = "archived_sessions"
_PREFIX = "rollout-"
_SUFFIX = ".jsonl"
_STAMP_LENGTH = len("2026-01-31T00-00-00")
_ID_LENGTH = 36
_DAY = 86_400


def new_path(home: str, thread_id: str, created_at_ms: int) -> str:
    """Return the file for a new thread; its name tells the local time."""
    moment = time.localtime(created_at_ms // 1000)
    name = f"{_PREFIX}{time.strftime('%Y-%m-%dT%H-%M-%S', moment)}-{thread_id}{_SUFFIX}"
    return os.path.join(home, SESSIONS, time.strftime("%Y/%m/%d", moment), name)


def restored_path(home: str, name: str) -> str:
    """Return where an archived file belongs by its name."""
    return os.path.join(home, SESSIONS, *name[len(_PREFIX) : len(_PREFIX) + 10].split("-"), name)


def archived_path(home: str, name: str) -> str:
    """Return where a file goes when its thread is archived."""
    return os.path.join(home, ARCHIVED, name)


def thread_id_of(name: str) -> str | None:
    """Return the thread that a file name belongs to, or ``None`` when it is no rollout's."""
    stem = name.removeprefix(_PREFIX).removesuffix(_SUFFIX)
    if len(stem) != _STAMP_LENGTH + 1 + _ID_LENGTH or len(name) != len(stem) + len(_PREFIX) + len(_SUFFIX):
        return None
    return stem[_STAMP_LENGTH + 1 :]


def rollouts(home: str, *, archived: bool) -> Iterator[os.DirEntry[str]]:
    """Yield the rollout files, newest directories first."""
    yield from _rollouts(os.path.join(home, ARCHIVED if archived else SESSIONS), depth=0 if archived else 3)


def find(home: str, thread_id: str, *, archived: bool) -> str | None:
    """Return the file of a thread, or ``None``.

    The time in an id of version 7 tells the directory; only when it is not there all are searched.
    """
    if not archived:
        for folder in _likely_folders(home, thread_id):
            for entry in _rollouts(folder, depth=0):
                if thread_id_of(entry.name) == thread_id:
                    return entry.path
    return next((e.path for e in rollouts(home, archived=archived) if thread_id_of(e.name) == thread_id), None)


def _likely_folders(home: str, thread_id: str) -> list[str]:
    seconds = int(thread_id.replace("-", "")[:12], 16) // 1000
    try:
        days = [time.strftime("%Y/%m/%d", time.localtime(seconds + shift)) for shift in (0, _DAY, -_DAY)]
    except (OverflowError, ValueError, OSError):
        return []
    return [os.path.join(home, SESSIONS, day) for day in days]


def _rollouts(folder: str, *, depth: int) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name, reverse=True)
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in found:
        if depth and entry.is_dir():
            yield from _rollouts(entry.path, depth=depth - 1)
        elif not depth and thread_id_of(entry.name) is not None:
            yield entry
