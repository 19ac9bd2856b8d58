"""Convert history items to the form in which Codex 0.118 sends them back to the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from codex_hookspecs.protocol import JsonObject

_SENT_MEMBERS: Final[Mapping[str, tuple[str, ...]]] = {
    "message": ("type", "role", "content", "end_turn", "phase"),
    "function_call": ("type", "name", "namespace", "arguments", "call_id"),
    "function_call_output": ("type", "call_id", "output"),
    "custom_tool_call": ("type", "status", "call_id", "name", "input"),
    "custom_tool_call_output": ("type", "call_id", "name", "output"),
    "local_shell_call": ("type", "call_id", "status", "action"),
    "web_search_call": ("type", "status", "action"),
}
"""Members that are sent for each known type of item, in order; the item ids that the server gave are not sent."""


def to_request_item(item: JsonObject) -> JsonObject:
    """Convert an item to its form in a request: known types with their sent members only, others unchanged."""
    kind = item.get("type", "message")
    if kind == "reasoning":
        return _reasoning(item)
    kept = _SENT_MEMBERS.get(kind)
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
