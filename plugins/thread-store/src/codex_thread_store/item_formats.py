"""Decode items of rollouts: the app-server protocol's form, as written here, and those of Codex 0.118 and 0.169."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, cast
from urllib.parse import unquote

import attrs

from codex_hookspecs import protocol as items
from codex_hookspecs.protocol import FileUpdateChange, HookPromptFragment, Item
from codex_hookspecs.wire import wire_name
from codex_thread_store.item_checks import check_types
from codex_thread_store.settings_formats import to_camel_case

_KINDS: dict[str, type[Any]] = {
    kind.TYPE: kind
    for kind in (
        items.UserMessage,
        items.HookPrompt,
        items.AgentMessage,
        items.Plan,
        items.Reasoning,
        items.CommandExecution,
        items.FileChange,
        items.McpToolCall,
        items.DynamicToolCall,
        items.CollabAgentToolCall,
        items.WebSearch,
        items.ImageView,
        items.ImageGeneration,
        items.EnteredReviewMode,
        items.ExitedReviewMode,
        items.ContextCompaction,
    )
}
_PARTS: dict[tuple[str, str], type[Any]] = {
    ("hookPrompt", "fragments"): HookPromptFragment,
    ("fileChange", "changes"): FileUpdateChange,
}
_ACTIONS = {"read": "read", "list_files": "listFiles", "search": "search", "unknown": "unknown"}


def decode_item(form: Any) -> Item | None:
    """Decode the item of an ``item_completed`` event, or return ``None`` when it is unknown or malformed."""
    if not isinstance(form, dict) or not isinstance(form.get("type"), str) or not form["type"]:
        return None
    try:
        item = _from_wire(form) if form["type"][0].islower() else _from_core(form["type"], form)
        return item and check_types(item)
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError):
        return None


def decode_command(form: Mapping[str, Any], item_id: str) -> Item:
    """Decode a command from an item of 0.169 or an ``exec_command_end`` event."""
    return items.CommandExecution(
        id=item_id,
        command=_command_line(form["command"]),
        cwd=_path(form["cwd"]),
        process_id=form.get("process_id"),
        source=_source(form.get("source", "agent")),
        status=to_camel_case(form.get("status", "completed")),
        command_actions=tuple(_action(action, form["cwd"]) for action in form.get("parsed_cmd") or ()),
        aggregated_output=form.get("aggregated_output"),
        exit_code=form.get("exit_code"),
        duration_ms=_milliseconds(form.get("duration")),
    )


def decode_patch(form: Mapping[str, Any], item_id: str) -> Item:
    """Decode a patch from an item of 0.169 or a ``patch_apply_end`` event."""
    status = form.get("status") or ("completed" if form.get("success") else "failed")
    changes = tuple(_change(_path(path), change) for path, change in (form.get("changes") or {}).items())
    return items.FileChange(id=item_id, changes=changes, status=to_camel_case(status))


def decode_search(form: Mapping[str, Any], item_id: str) -> Item:
    """Decode a web search from an item of 0.169 or a ``web_search_end`` event."""
    action = form.get("action")
    if isinstance(action, dict):
        kind = to_camel_case(action.get("type", "other"))
        action = {**action, "type": kind} | ({"queries": action.get("queries")} if kind == "search" else {})
    return items.WebSearch(id=item_id, query=form.get("query") or "", action=action)


def _from_wire(form: dict[str, Any]) -> Item | None:
    kind = _KINDS.get(form["type"])
    return None if kind is None else cast(Item, _build(kind, form))


def _build(kind: Any, form: Mapping[str, Any]) -> Any:
    return kind(**{name: _value(form[wire], part) for name, wire, part in _members(kind) if wire in form})


@cache
def _members(kind: Any) -> tuple[tuple[str, str, type[Any] | None], ...]:
    """Return the members of an item class: attribute name, name on the wire, and class of list elements if any."""
    tag = getattr(kind, "TYPE", "")
    return tuple((one.name, wire_name(one), _PARTS.get((tag, one.name))) for one in attrs.fields(kind))


def _value(value: Any, part: type[Any] | None) -> Any:
    if not isinstance(value, list):
        return value
    return tuple(value if part is None else (_build(part, entry) for entry in value))


def _from_core(kind: str, form: dict[str, Any]) -> Item | None:
    item_id = form["id"]
    if kind == "CommandExecution":
        return decode_command(form, item_id)
    if kind == "FileChange":
        return decode_patch(form, item_id)
    reader = _CORE.get(kind)
    return None if reader is None else reader(form, item_id)


def _agent_message(form: dict[str, Any], item_id: str) -> Item:
    text = "".join(part["text"] for part in form["content"])
    return items.AgentMessage(
        id=item_id, text=text, phase=form.get("phase"), memory_citation=form.get("memory_citation")
    )


def _reasoning(form: dict[str, Any], item_id: str) -> Item:
    return items.Reasoning(
        id=item_id, summary=tuple(form.get("summary_text") or ()), content=tuple(form.get("raw_content") or ())
    )


def _hook_prompt(form: dict[str, Any], item_id: str) -> Item:
    fragments = tuple(HookPromptFragment(part["text"], part["hookRunId"]) for part in form["fragments"])
    return items.HookPrompt(id=item_id, fragments=fragments)


def _user_message(form: dict[str, Any], item_id: str) -> Item:
    renamed = {"image_url": "url", "local_image": "localImage"}
    content = tuple(
        {renamed.get(key, key): renamed.get(value, value) if key == "type" else value for key, value in part.items()}
        for part in form["content"]
    )
    return items.UserMessage(id=item_id, content=content)


def _mcp_call(form: dict[str, Any], item_id: str) -> Item:
    result, error = form.get("result"), form.get("error")
    return items.McpToolCall(
        id=item_id,
        server=form["server"],
        tool=form["tool"],
        status=to_camel_case(form.get("status", "completed")),
        arguments=form.get("arguments"),
        result=_rename_keys(result, {"structured_content": "structuredContent"}) if isinstance(result, dict) else None,
        error=error if isinstance(error, dict) else {"message": error} if error else None,
        duration_ms=_milliseconds(form.get("duration")),
    )


def _dynamic_call(form: dict[str, Any], item_id: str) -> Item:
    content = form.get("content_items")
    return items.DynamicToolCall(
        id=item_id,
        tool=form["tool"],
        arguments=form.get("arguments"),
        status=to_camel_case(form.get("status", "completed")),
        content_items=None
        if content is None
        else tuple(
            _rename_keys({**part, "type": to_camel_case(part["type"])}, {"image_url": "imageUrl"}) for part in content
        ),
        success=form.get("success"),
        duration_ms=_milliseconds(form.get("duration")),
    )


_CORE: dict[str, Callable[[dict[str, Any], str], Item]] = {
    "UserMessage": _user_message,
    "HookPrompt": _hook_prompt,
    "AgentMessage": _agent_message,
    "Reasoning": _reasoning,
    "WebSearch": decode_search,
    "McpToolCall": _mcp_call,
    "DynamicToolCall": _dynamic_call,
    "Plan": lambda form, item_id: items.Plan(id=item_id, text=form["text"]),
    "ImageView": lambda form, item_id: items.ImageView(id=item_id, path=_path(form["path"])),
    "ContextCompaction": lambda _, item_id: items.ContextCompaction(id=item_id),
    "EnteredReviewMode": lambda form, item_id: items.EnteredReviewMode(id=item_id, review=form.get("review") or ""),
    "ExitedReviewMode": lambda form, item_id: items.ExitedReviewMode(id=item_id, review=form.get("review") or ""),
    "ImageGeneration": lambda form, item_id: items.ImageGeneration(
        id=item_id,
        status=form.get("status", ""),
        result=form.get("result", ""),
        revised_prompt=form.get("revised_prompt"),
        saved_path=_path(form["saved_path"]) if form.get("saved_path") else None,
    ),
}


def _command_line(command: Any) -> str:
    return command if isinstance(command, str) else shlex.join(command)


def _path(path: str) -> str:
    return unquote(path.removeprefix("file://")) if path.startswith("file://") else path


def _source(source: str) -> Any:
    return to_camel_case(source)


def _action(action: dict[str, Any], cwd: str) -> dict[str, Any]:
    kind = _ACTIONS.get(action.get("type", "unknown"), "unknown")
    result = {"type": kind, "command": action.get("cmd") or action.get("command") or ""}
    for key in ("name", "path", "query"):
        if key in action:
            result[key] = action[key]
    if kind == "read" and isinstance(result.get("path"), str) and not result["path"].startswith(("/", "file:")):
        result["path"] = f"{_path(cwd)}/{result['path']}"
    return result


def _change(path: str, change: Mapping[str, Any]) -> FileUpdateChange:
    kind = change["type"]
    if kind == "update":
        form = {"type": "update", "move_path": change.get("move_path")}
        return FileUpdateChange(path, form, diff=change.get("unified_diff") or "")
    return FileUpdateChange(path, {"type": kind}, diff=change.get("content") or "")


def _milliseconds(duration: Any) -> int | None:
    if not isinstance(duration, dict):
        return None
    return int(duration.get("secs", 0)) * 1000 + int(duration.get("nanos", 0)) // 1_000_000


def _rename_keys(form: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names.get(key, key): value for key, value in form.items()}
