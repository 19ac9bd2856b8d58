"""Tools that a client offers with ``thread/start.dynamicTools``, and calls of them (app-server protocol v2, 0.118)."""

from __future__ import annotations

import asyncio
import re
import time
from typing import TYPE_CHECKING, Any, Final

import attrs

from codex_hookspecs.errors import RpcError, ToolError
from codex_hookspecs.protocol import DynamicToolCall
from codex_hookspecs.tools import Tool, ToolOutput

if TYPE_CHECKING:
    from collections.abc import Sequence
    from logging import Logger

    from codex_hookspecs.protocol import JsonObject
    from codex_hookspecs.tools import ToolCall, ToolContext

METHOD: Final = "item/tool/call"
_NAME: Final = re.compile(r"[a-zA-Z0-9_-]+")
_LONGEST: Final = 128
_FAILED: Final = "dynamic tool request failed"
_INVALID: Final = "dynamic tool response was invalid"
_PARTS: Final = {"inputText": ("input_text", "text", "text"), "inputImage": ("input_image", "imageUrl", "image_url")}


def check_dynamic_tools(tools: Sequence[JsonObject]) -> None:
    """Check the tools that a client offers.

    :raises RpcError: when one is invalid, or of a kind that Codex 0.118 does not know (namespaces of 0.169).
    """
    names: set[str] = set()
    for tool in tools:
        for member in ("name", "description", "inputSchema"):
            if member not in tool:
                raise RpcError(f"Invalid request: missing field `{member}`")
        name, schema = tool["name"], tool["inputSchema"]
        for member in ("name", "description"):
            if not isinstance(tool[member], str):
                raise RpcError(f"Invalid request: invalid type: {member} is {tool[member]!r}, expected a string")
        fault = _name_fault(name)
        if fault is None and name in names:
            fault = f"duplicate dynamic tool name: {name}"
        if fault is None and not isinstance(schema, dict):
            fault = f"dynamic tool input schema is not supported for {name}: it is {schema!r}, expected an object"
        if fault is not None:
            raise RpcError(fault)
        names.add(name)


def make_tools(offered: Sequence[JsonObject], log: Logger) -> list[Tool]:
    """Return the tools of a thread that a client has offered.

    :param log: told of answers that are invalid.
    """
    return [_make_tool(tool, log) for tool in offered]


def _name_fault(name: str) -> str | None:
    if not name.strip():
        return "dynamic tool name must not be empty"
    if name != name.strip():
        return f"dynamic tool name has leading/trailing whitespace: {name}"
    if name == "mcp" or name.startswith("mcp__"):
        return f"dynamic tool name is reserved: {name}"
    if not _NAME.fullmatch(name):
        return f"dynamic tool name must match ^{_NAME.pattern}$ to match Responses API: {name}"
    if len(name) > _LONGEST:
        return f"dynamic tool name must be at most {_LONGEST} characters to match Responses API: {name}"
    return None


def _make_tool(offered: JsonObject, log: Logger) -> Tool:
    name = offered["name"]
    spec: JsonObject = {
        "type": "function",
        "name": name,
        "description": offered["description"],
        "strict": False,
        "parameters": offered["inputSchema"],
    }

    async def run(call: ToolCall, context: ToolContext) -> ToolOutput:
        return await _run(call, context, log)

    return Tool(name=name, spec=spec, run=run, emits_own_items=True, of_client=True)


async def _run(call: ToolCall, context: ToolContext, log: Logger) -> ToolOutput:
    """Have the client run a call.

    :raises ToolError: when the arguments are not JSON; the client is not asked then.
    """
    from codex_hookspecs.json_text import parse_json

    try:
        arguments = parse_json(call.arguments)
    except ValueError as error:
        raise ToolError(f"failed to parse function arguments: {error}") from error
    item = DynamicToolCall(id=call.call_id, tool=call.name, arguments=arguments, status="inProgress")
    began = time.monotonic()
    await context.start_item(item)

    async def complete(content: Sequence[JsonObject], *, success: bool) -> None:
        ended = attrs.evolve(
            item,
            status="completed" if success else "failed",
            content_items=tuple(content),
            success=success,
            duration_ms=int((time.monotonic() - began) * 1000),
        )
        await context.complete_item(ended)

    where = {"threadId": context.thread.id, "turnId": context.turn_id, "callId": call.call_id}
    try:
        answer = await context.ask_client(METHOD, {**where, "tool": call.name, "arguments": arguments})
        content, success = _read_answer(answer)
    except ValueError as error:
        log.error("thread %s: the client's answer to %s is not valid: %s", context.thread.id, METHOD, error)  # noqa: TRY400
        content, success = [{"type": "inputText", "text": _INVALID}], False
    except RpcError as error:
        log.info("thread %s: %s was answered with an error: %s", context.thread.id, METHOD, error)
        content, success = [{"type": "inputText", "text": _FAILED}], False
    except asyncio.CancelledError:
        await complete((), success=False)
        raise
    await complete(content, success=success)
    if [part["type"] for part in content] == ["inputText"] and not success:
        return ToolOutput(content[0]["text"], success=False)
    return ToolOutput(
        "\n".join(part["text"] for part in content if part["type"] == "inputText"),
        success=success,
        content=tuple(_model_part(part) for part in content),
    )


def _read_answer(answer: Any) -> tuple[list[JsonObject], bool]:
    """Return content and success of a client's answer.

    :raises ValueError: when it is invalid.
    """
    if not isinstance(answer, dict) or not isinstance(answer.get("success"), bool):
        raise ValueError("`success` is missing or not true or false")  # noqa: TRY004
    content = answer.get("contentItems")
    if not isinstance(content, list):
        raise ValueError("`contentItems` is missing or not a list")  # noqa: TRY004
    for part in content:
        kind = part.get("type") if isinstance(part, dict) else None
        member = _PARTS[kind][1] if isinstance(kind, str) and kind in _PARTS else None
        if member is None or not isinstance(part.get(member), str):
            raise ValueError(
                "an item of `contentItems` is neither inputText with `text` nor inputImage with `imageUrl`"
            )
    return content, answer["success"]


def _model_part(part: JsonObject) -> JsonObject:
    kind, source, target = _PARTS[part["type"]]
    return {"type": kind, target: part[source]}
