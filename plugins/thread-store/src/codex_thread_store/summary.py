"""Read what listings show of a thread from the first lines of its rollout file."""

from __future__ import annotations

import os
from itertools import islice, takewhile
from typing import Any

from codex_hookspecs.errors import StorageError
from codex_hookspecs.protocol import Thread, UserMessage
from codex_hookspecs.storage import IMAGE_ONLY, ThreadMeta, is_user_turn, preview_of, texts_of
from codex_thread_store.index_rows import listed_thread
from codex_thread_store.item_formats import decode_item
from codex_thread_store.origins import find_origin
from codex_thread_store.rollout_reader import MAX_FORKS, TOO_LONG, decode_meta, not_a_rollout, parse_lines, read_lines

_LINES = 200
"""Number of lines in which the first message is searched."""

_LONGEST_LINE = 32 * 1024 * 1024


def summarize(path: str, home: str, *, forks: int = MAX_FORKS) -> Thread | None:
    """Return the thread of a file without its turns, or ``None`` when it has no user message.

    :param home: ``$CODEX_HOME``, where the origin of a fork of 0.169 is searched.
    :param forks: remaining depth of forks.
    :raises StorageError: when the file can't be read or does not begin like a rollout.
    """
    meta: ThreadMeta | None = None
    preview = ""
    try:
        lines = takewhile(lambda line: line is not TOO_LONG, read_lines(path, longest=_LONGEST_LINE))
        for line in parse_lines(islice(lines, _LINES)):
            if line is None:
                continue
            if meta is None and line["type"] == "session_meta" and isinstance(line["payload"].get("id"), str):
                meta = decode_meta(line["payload"])
                preview = _origin_preview(line["payload"], home, forks)
            preview = preview or _user_text(line["type"], line["payload"])
            if meta is not None and preview:
                break
        updated_at = int(os.stat(path).st_mtime)
    except OSError as error:
        raise StorageError(f"reading the thread's file {path}: {error.strerror or error}") from error
    if meta is None:
        raise not_a_rollout(path)
    return listed_thread(meta, path, preview=preview, updated_at=updated_at) if preview else None


def _origin_preview(payload: dict[str, Any], home: str, forks: int) -> str:
    origin = find_origin(payload, home) if forks else None
    if origin is None:
        return ""
    try:
        thread = summarize(origin.path, home, forks=forks - 1)
    except StorageError:
        return ""
    return "" if thread is None else thread.preview


def _user_text(kind: str, payload: dict[str, Any]) -> str:
    """Return the text of a user message, empty for any other line."""
    if kind == "event_msg" and payload.get("type") == "user_message":
        message = payload.get("message")
        return message if isinstance(message, str) and message else IMAGE_ONLY
    if kind == "event_msg" and payload.get("type") == "item_completed":
        item = decode_item(payload.get("item"))
        return preview_of(item) if isinstance(item, UserMessage) else ""
    if kind == "compacted":
        kept = payload.get("replacement_history")
        return next((text for item in kept if (text := _text_of(item))), "") if isinstance(kept, list) else ""
    return ""


def _text_of(item: Any) -> str:
    if not isinstance(item, dict) or not is_user_turn(item):
        return ""
    return "\n".join(texts_of(item, "user")) or IMAGE_ONLY
