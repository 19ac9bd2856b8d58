"""Tell what a listing shows of a rollout file from its first lines."""

from __future__ import annotations

import os
from itertools import islice
from typing import Any

from codex_hookspecs.errors import StorageError
from codex_hookspecs.fragments import is_user_turn
from codex_hookspecs.replay import IMAGE_ONLY, preview_of
from codex_hookspecs.types.items import UserMessage
from codex_hookspecs.types.storage import ThreadMeta
from codex_hookspecs.types.threads import Thread
from codex_thread_store.item_forms import item_of
from codex_thread_store.reading import lines_of, meta_of, parsed

_LINES = 200
"""How far into a file its first message is looked for."""


def summarize(path: str) -> Thread | None:
    """Return the thread of a file without turns, or ``None`` when nothing was said in it or it can't be read."""
    meta: ThreadMeta | None = None
    preview = ""
    try:
        for line in parsed(islice(lines_of(path), _LINES)):
            if line is None:
                continue
            if meta is None and line["type"] == "session_meta" and isinstance(line["payload"].get("id"), str):
                meta = meta_of(line["payload"])
            preview = _said(line["type"], line["payload"])
            if meta is not None and preview:
                break
        updated_at = int(os.stat(path).st_mtime)
    except (StorageError, OSError):
        return None
    return thread_of(meta, path, preview=preview, updated_at=updated_at) if meta is not None and preview else None


def thread_of(meta: ThreadMeta, path: str, *, preview: str, updated_at: int, name: str | None = None) -> Thread:
    """Return a thread as a listing shows it."""
    return Thread(
        id=meta.thread_id,
        session_id=meta.thread_id,
        preview=preview,
        model_provider=meta.settings.model_provider,
        created_at=meta.created_at_ms // 1000,
        updated_at=updated_at,
        status={"type": "notLoaded"},
        path=path,
        cwd=meta.settings.cwd,
        cli_version=meta.cli_version,
        source=meta.settings.source,
        agent_nickname=meta.agent_nickname,
        agent_role=meta.agent_role,
        git_info=meta.git,
        name=name,
    )


def _said(kind: str, payload: dict[str, Any]) -> str:
    """Return what a line's user message says, empty when it is none."""
    if kind == "event_msg" and payload.get("type") == "user_message":
        return str(payload.get("message") or "") or IMAGE_ONLY
    if kind == "event_msg" and payload.get("type") == "item_completed":
        item = item_of(payload.get("item"))
        return preview_of(item) if isinstance(item, UserMessage) else ""
    if kind == "compacted":
        kept = payload.get("replacement_history") or ()
        return next((text for item in kept if (text := _text_of(item))), "")
    return ""


def _text_of(item: Any) -> str:
    if not isinstance(item, dict) or not is_user_turn(item):
        return ""
    texts = [part.get("text") for part in item.get("content") or () if part.get("type") == "input_text"]
    return "\n".join(text for text in texts if isinstance(text, str)) or IMAGE_ONLY
