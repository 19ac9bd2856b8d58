"""Paths of rollout files: names, directories and search (layout of Codex 0.118)."""

from __future__ import annotations

import os
import time

SESSIONS = "sessions"
ARCHIVED = "archived_sessions"
_PREFIX = "rollout-"
_SUFFIX = ".jsonl"
_STAMP_LENGTH = len("2026-01-31T00-00-00")
_ID_LENGTH = 36
_NAME_LENGTH = len(_PREFIX) + _STAMP_LENGTH + 1 + _ID_LENGTH + len(_SUFFIX)
_DAY = 86_400

Rollout = tuple[str, os.DirEntry[str]]
"""Id and file of a thread."""


def new_path(home: str, thread_id: str, created_at_ms: int) -> str:
    """Return the path for a new thread; the name contains the local time."""
    moment = time.localtime(created_at_ms // 1000)
    name = f"{_PREFIX}{time.strftime('%Y-%m-%dT%H-%M-%S', moment)}-{thread_id}{_SUFFIX}"
    return os.path.join(home, SESSIONS, time.strftime("%Y/%m/%d", moment), name)


def restored_path(home: str, name: str) -> str:
    """Return the path in ``sessions`` of a file that is unarchived."""
    return os.path.join(home, SESSIONS, *name[len(_PREFIX) : len(_PREFIX) + 10].split("-"), name)


def archived_path(home: str, name: str) -> str:
    """Return the path of a file when its thread is archived."""
    return os.path.join(home, ARCHIVED, name)


def parse_thread_id(name: str) -> str | None:
    """Return the thread id in a file name, or ``None`` when it is not a rollout's name."""
    if len(name) != _NAME_LENGTH or not name.startswith(_PREFIX) or not name.endswith(_SUFFIX):
        return None
    return name[-_ID_LENGTH - len(_SUFFIX) : -len(_SUFFIX)]


def list_rollouts(home: str, *, archived: bool) -> list[Rollout]:
    """List the rollout files with the ids of their threads, newest directories first."""
    return _rollouts(os.path.join(home, ARCHIVED if archived else SESSIONS), depth=0 if archived else 3)


def find(home: str, thread_id: str, *, archived: bool) -> str | None:
    """Find the file of a thread.

    The time stamp in a UUID of version 7 gives the likely directory; all others are searched only after it.
    """
    if not archived:
        for folder in _likely_folders(home, thread_id):
            for found, entry in _rollouts(folder, depth=0):
                if found == thread_id:
                    return entry.path
    return next((entry.path for found, entry in list_rollouts(home, archived=archived) if found == thread_id), None)


def _likely_folders(home: str, thread_id: str) -> list[str]:
    seconds = int(thread_id.replace("-", "")[:12], 16) // 1000
    try:
        days = [time.strftime("%Y/%m/%d", time.localtime(seconds + shift)) for shift in (0, _DAY, -_DAY)]
    except (OverflowError, ValueError, OSError):
        return []
    return [os.path.join(home, SESSIONS, day) for day in days]


def _rollouts(folder: str, *, depth: int) -> list[Rollout]:
    try:
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name, reverse=True)
    except (FileNotFoundError, NotADirectoryError):
        return []
    if depth:
        return [one for entry in found if entry.is_dir() for one in _rollouts(entry.path, depth=depth - 1)]
    return [(thread_id, entry) for entry in found if (thread_id := parse_thread_id(entry.name)) is not None]
