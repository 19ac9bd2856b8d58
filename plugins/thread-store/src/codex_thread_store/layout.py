"""Paths of rollout files: names, directories and search (layout of Codex 0.118)."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable

SESSIONS = "sessions"
ARCHIVED = "archived_sessions"
_PREFIX = "rollout-"
_SUFFIX = ".jsonl"
_STAMP_LENGTH = len("2026-01-31T00-00-00")
_ID_LENGTH = 36
_NAME_LENGTH = len(_PREFIX) + _STAMP_LENGTH + 1 + _ID_LENGTH + len(_SUFFIX)
_SEGMENT_LENGTH = _NAME_LENGTH + 1 + _ID_LENGTH
"""Length of the name of a file that 0.169 made when it reverted a thread: ``…-THREAD_SEGMENT.jsonl``."""
_ID_AT = len(_PREFIX) + _STAMP_LENGTH + 1
_NEWER_CODEX = "thread-writer-locks"
"""Directory in homes that Codex 0.169 has used."""
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
    if not name.startswith(_PREFIX) or not name.endswith(_SUFFIX):
        return None
    if len(name) == _NAME_LENGTH or (len(name) == _SEGMENT_LENGTH and name[_ID_AT + _ID_LENGTH] == "_"):
        return name[_ID_AT : _ID_AT + _ID_LENGTH]
    return None


def list_rollouts(home: str, *, archived: bool) -> list[Rollout]:
    """List the rollout files with the ids of their threads, newest directories first."""
    return _rollouts(os.path.join(home, ARCHIVED if archived else SESSIONS), depth=0 if archived else 3)


def find(home: str, thread_id: str, *, archived: bool) -> str | None:
    """Find the file of a thread; the newest one, of a thread that 0.169 reverted.

    The time stamp in a UUID of version 7 gives the likely directory; all others are searched only after it, or when
    there may be a newer file.
    """
    if not archived and not os.path.isdir(os.path.join(home, _NEWER_CODEX)):
        for folder in _likely_folders(home, thread_id):
            for found, entry in _rollouts(folder, depth=0):
                if found == thread_id:
                    return entry.path
    files = (entry for found, entry in list_rollouts(home, archived=archived) if found == thread_id)
    return _newest(files)


def find_segment(home: str, segment_id: str) -> str | None:
    """Find the file that a thread of 0.169 begins with, archived or not.

    :param segment_id: the last id in its name: that of the thread, or of a file made when it was reverted.
    """
    tail = f"{segment_id}{_SUFFIX}"
    rollouts = (one for archived in (False, True) for one in list_rollouts(home, archived=archived))
    return next((entry.path for _, entry in rollouts if entry.name.endswith(tail)), None)


def find_older(home: str, path: str, *, archived: bool) -> list[str]:
    """Find the files that a thread had before 0.169 reverted it.

    :param path: its newest file.
    """
    name = os.path.basename(path)
    if len(name) != _SEGMENT_LENGTH:
        return []
    thread_id = parse_thread_id(name)
    rollouts = list_rollouts(home, archived=archived)
    return [entry.path for found, entry in rollouts if found == thread_id and entry.path != path]


def _newest(files: Iterable[os.DirEntry[str]]) -> str | None:
    newest = max(files, key=lambda entry: entry.name, default=None)
    return None if newest is None else newest.path


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
