"""Tell what a listing shows of a rollout file from its first lines."""

from __future__ import annotations

import os
from itertools import islice, takewhile
from typing import Any

from codex_hookspecs.errors import StorageError
from codex_hookspecs.protocol import Thread, UserMessage
from codex_hookspecs.storage import IMAGE_ONLY, ThreadMeta, is_user_turn, preview_of, texts_of
from codex_thread_store import layout
from codex_thread_store.item_forms import item_of
from codex_thread_store.reading import FORKS, TOO_LONG, lines_of, meta_of, no_rollout, parsed
from codex_thread_store.rows import new_thread

_LINES = 200
"""How far into a file its first message is looked for."""

_LONGEST_LINE = 32 * 1024 * 1024


def summarize(path: str, home: str, *, forks: int = FORKS) -> Thread | None:
    """Return the thread of a file without turns, or ``None`` when nothing was said in it.

    :param home: where the thread is that a fork of 0.169 continues.
    :param forks: how many threads may each begin as a part of another one.
    :raises StorageError: when the file can't be read or does not begin like a rollout.
    """
    meta: ThreadMeta | None = None
    preview = ""
    try:
        lines = takewhile(lambda line: line is not TOO_LONG, lines_of(path, longest=_LONGEST_LINE))
        for line in parsed(islice(lines, _LINES)):
            if line is None:
                continue
            if meta is None and line["type"] == "session_meta" and isinstance(line["payload"].get("id"), str):
                meta = meta_of(line["payload"])
                preview = _origin_preview(line["payload"], home, forks)
            preview = preview or _said(line["type"], line["payload"])
            if meta is not None and preview:
                break
        updated_at = int(os.stat(path).st_mtime)
    except OSError as error:
        raise StorageError(f"reading the thread's file {path}: {error.strerror or error}") from error
    if meta is None:
        raise no_rollout(path)
    return new_thread(meta, path, preview=preview, updated_at=updated_at) if preview else None


def _origin_preview(payload: dict[str, Any], home: str, forks: int) -> str:
    origin = payload.get("forked_from_id")
    if not isinstance(payload.get("forked_from_ordinal_exclusive"), int) or not isinstance(origin, str):
        return ""
    path = layout.find(home, origin, archived=False) or layout.find(home, origin, archived=True)
    if path is None or not forks:
        return ""
    try:
        thread = summarize(path, home, forks=forks - 1)
    except StorageError:
        return ""
    return "" if thread is None else thread.preview


def _said(kind: str, payload: dict[str, Any]) -> str:
    """Return what a line's user message says, empty when it is none."""
    if kind == "event_msg" and payload.get("type") == "user_message":
        message = payload.get("message")
        return message if isinstance(message, str) and message else IMAGE_ONLY
    if kind == "event_msg" and payload.get("type") == "item_completed":
        item = item_of(payload.get("item"))
        return preview_of(item) if isinstance(item, UserMessage) else ""
    if kind == "compacted":
        kept = payload.get("replacement_history")
        return next((text for item in kept if (text := _text_of(item))), "") if isinstance(kept, list) else ""
    return ""


def _text_of(item: Any) -> str:
    if not isinstance(item, dict) or not is_user_turn(item):
        return ""
    return "\n".join(texts_of(item, "user")) or IMAGE_ONLY
