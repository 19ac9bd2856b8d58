"""Put history items into the form in which Codex 0.118 sends them back to the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from codex_hookspecs.protocol import JsonObject

_KEPT: Final[Mapping[str, tuple[str, ...]]] = {
    "message": ("type", "role", "content", "end_turn", "phase"),
    "function_call": ("type", "name", "namespace", "arguments", "call_id"),
    "function_call_output": ("type", "call_id", "output"),
    "custom_tool_call": ("type", "status", "call_id", "name", "input"),
    "custom_tool_call_output": ("type", "call_id", "name", "output"),
    "local_shell_call": ("type", "call_id", "status", "action"),
    "web_search_call": ("type", "status", "action"),
}
"""Members of the items that are known, in their order; ids of the model stay here."""


def sent_form(item: JsonObject) -> JsonObject:
    """Return an item as it is sent: known items without what servers need not be told, others as they are."""
    kind = item.get("type", "message")
    if kind == "reasoning":
        return _reasoning(item)
    kept = _KEPT.get(kind)
    if kept is None:
        return item
    sent = {"type": kind, **{key: item[key] for key in kept if item.get(key) is not None}}
    if kind == "message" and isinstance(item.get("content"), (list, tuple)):
        sent["content"] = [_part(part) for part in item["content"]]
    return sent


def _reasoning(item: JsonObject) -> JsonObject:
    sent: dict[str, Any] = {"type": "reasoning", "summary": item.get("summary") or []}
    content = item.get("content")
    if content is None or content:
        sent["content"] = content
    sent["encrypted_content"] = item.get("encrypted_content")
    return sent


def _part(part: Any) -> Any:
    if isinstance(part, dict) and part.get("type") == "output_text":
        return {"type": "output_text", "text": part.get("text", "")}
    return part
