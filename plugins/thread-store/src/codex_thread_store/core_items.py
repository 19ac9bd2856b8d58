"""Encode items for files of Codex 0.169, which reads the messages of a numbered file in this form only."""

from __future__ import annotations

from typing import Any

from codex_hookspecs.protocol import AgentMessage, ContextCompaction, HookPrompt, Item, Reasoning, UserMessage
from codex_hookspecs.wire import encode

_PARTS = {"image": ("image", {"url": "image_url"}), "localImage": ("local_image", {})}


def core_item(item: Item) -> dict[str, Any]:
    """Return the form of an item; kinds that 0.169 would not show anyway keep the form of the app-server protocol."""
    if isinstance(item, UserMessage):
        return {"type": "UserMessage", "id": item.id, "content": [_part(part) for part in item.content]}
    if isinstance(item, AgentMessage):
        content = [{"type": "Text", "text": item.text}]
        optional = {"phase": item.phase, "memory_citation": item.memory_citation}
        given = {key: value for key, value in optional.items() if value is not None}
        return {"type": "AgentMessage", "id": item.id, "content": content, **given}
    if isinstance(item, Reasoning):
        texts = {"summary_text": list(item.summary), "raw_content": list(item.content)}
        return {"type": "Reasoning", "id": item.id, **texts}
    if isinstance(item, HookPrompt):
        fragments = [{"text": part.text, "hookRunId": part.hook_run_id} for part in item.fragments]
        return {"type": "HookPrompt", "id": item.id, "fragments": fragments}
    if isinstance(item, ContextCompaction):
        return {"type": "ContextCompaction", "id": item.id}
    form: dict[str, Any] = encode(item)
    return form


def _part(part: dict[str, Any]) -> dict[str, Any]:
    kind, renamed = _PARTS.get(part["type"], (part["type"], {}))
    return {**{renamed.get(key, key): value for key, value in part.items()}, "type": kind}
