"""Convert tool calls to the forms that hooks and clients get."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import attrs

from codex_hookspecs.errors import ToolError
from codex_hookspecs.json_text import JsonError, parse_json
from codex_hookspecs.types.tools import HookPayload, ToolCall

if TYPE_CHECKING:
    from codex_hookspecs.types.items import DynamicToolCall
    from codex_hookspecs.types.tools import Tool, ToolOutput


def hook_payload(tool: Tool, call: ToolCall) -> HookPayload | None:
    """Return a call in the form that hooks get, or ``None`` if hooks don't get it.

    :raises ToolError: when the tool fails to convert it.
    """
    if tool.hook_view is not None:
        try:
            return tool.hook_view(call)
        except Exception as error:
            raise _failed(call, error) from error
    tool_input = {"input": call.arguments} if call.kind == "custom" else _parsed(call.arguments)
    return HookPayload(tool_name=call.name, tool_input=tool_input)


def to_hook_fields(payload: HookPayload, cwd: str) -> dict[str, Any]:
    """Return the fields of a tool event.

    :param cwd: absolute directory of the turn.
    """
    import posixpath

    workdir = None if payload.workdir is None else posixpath.join(cwd, payload.workdir)
    return {
        "tool_name": payload.tool_name,
        "tool_input": payload.tool_input,
        "matcher_aliases": payload.aliases,
        "workdir": None if workdir == cwd else workdir,
    }


def with_new_input(tool: Tool, call: ToolCall, new_input: Any) -> ToolCall:
    """Return the call with the input that a hook replaced.

    :raises ToolError: when the input does not fit the tool.
    """
    if tool.from_hook_input is not None:
        try:
            return tool.from_hook_input(call, new_input)
        except Exception as error:
            raise _failed(call, error) from error
    if call.kind == "function":
        return attrs.evolve(call, arguments=json.dumps(new_input, ensure_ascii=False))
    text = new_input.get("input") if isinstance(new_input, dict) else None
    if not isinstance(text, str):
        raise ToolError(f"a hook gave {call.name} an input without the text 'input'")
    return attrs.evolve(call, arguments=text)


def denial_text(payload: HookPayload, reason: str) -> str:
    """Return the output for the model of a call that a hook refused (text of Codex 0.169 for all tools)."""
    if payload.tool_name in ("Bash", "apply_patch") and isinstance(payload.tool_input, dict):
        return f"Command blocked by PreToolUse hook: {reason}. Command: {payload.tool_input.get('command', '')}"
    return f"Tool call blocked by PreToolUse hook: {reason}. Tool: {payload.tool_name}"


def dynamic_tool_call(
    call: ToolCall, output: ToolOutput | None = None, duration_ms: int | None = None
) -> DynamicToolCall:
    """Return the item of a call whose tool emits none itself; without an output, the started item."""
    from codex_hookspecs.types.items import DynamicToolCall

    item = DynamicToolCall(id=call.call_id, tool=call.name, arguments=_parsed(call.arguments), status="inProgress")
    if output is None:
        return item
    parts = output.content if output.content is not None else ({"type": "input_text", "text": output.text},)
    content_items = tuple(
        {"type": "inputText", "text": part.get("text", "")}
        if part.get("type") == "input_text"
        else {"type": "inputImage", "imageUrl": part.get("image_url", "")}
        for part in parts
    )
    return attrs.evolve(
        item,
        status="completed" if output.success else "failed",
        content_items=content_items,
        success=output.success,
        duration_ms=duration_ms,
    )


def _parsed(arguments: str) -> Any:
    try:
        return parse_json(arguments) if arguments else {}
    except JsonError:
        return arguments


def _failed(call: ToolCall, error: Exception) -> ToolError:
    return error if isinstance(error, ToolError) else ToolError(f"tool {call.name} failed: {_words(error)}")


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
