"""Convert items of the Responses API to items for clients."""

from __future__ import annotations

from codex_hookspecs.types.items import AgentMessage, Item, Reasoning
from codex_hookspecs.types.json import JsonObject


def started_item(item: JsonObject) -> Item | None:
    """Return the client's view of a started item, or ``None`` if it is not shown yet."""
    kind = item.get("type")
    if kind == "message" and item.get("role") == "assistant":
        return AgentMessage(id=_id(item), text="", phase=item.get("phase"))
    if kind == "reasoning":
        return Reasoning(id=_id(item))
    return _web_search(item)


def completed_item(item: JsonObject) -> Item | None:
    """Return the client's view of a completed item, or ``None`` if it is not shown."""
    kind = item.get("type")
    if kind == "message" and item.get("role") == "assistant":
        return AgentMessage(id=_id(item), text=message_text(item), phase=item.get("phase"))
    if kind == "reasoning":
        return Reasoning(
            id=_id(item),
            summary=_texts(item.get("summary")),
            content=_texts(item.get("content")),
        )
    return _web_search(item)


def message_text(item: JsonObject) -> str:
    """Return the text of a message item."""
    return "".join(_texts(item.get("content")))


def _web_search(item: JsonObject) -> Item | None:
    kind = item.get("type")
    if kind == "web_search_call":
        from codex_hookspecs.types.items import WebSearch

        action = item["action"] if isinstance(item.get("action"), dict) else {}
        kinds = {"open_page": "openPage", "find_in_page": "findInPage"}
        kind = str(action.get("type", "other"))
        wire = {**action, "type": kinds.get(kind, kind)}
        query = action.get("query") or action.get("url") or action.get("pattern") or ""
        return WebSearch(id=_id(item), query=str(query), action=wire)
    if kind == "image_generation_call":
        from codex_hookspecs.types.items import ImageGeneration

        return ImageGeneration(
            id=_id(item),
            status=str(item.get("status", "")),
            result=str(item.get("result", "")),
            revised_prompt=item.get("revised_prompt"),
        )
    return None


def _id(item: JsonObject) -> str:
    return str(item.get("id") or "")


def _texts(parts: object) -> tuple[str, ...]:
    if not isinstance(parts, list):
        return ()
    return tuple(part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str))
