"""Hook implementations of tool-user-input."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_hookspecs import hookimpl
from codex_hookspecs.tools import Tool

if TYPE_CHECKING:
    from codex_hookspecs.host import Host
    from codex_hookspecs.protocol import JsonObject
    from codex_hookspecs.tools import ToolCall, ToolContext, ToolOutput

NAME = "request_user_input"
SPEC: JsonObject = {
    "type": "function",
    "name": NAME,
    "description": "Ask the user one to three short questions and wait for the answers. Only available in Plan mode.",
    "strict": False,
    "parameters": {
        "type": "object",
        "properties": {
            "questions": {
                "type": "array",
                "description": "At most 3, better 1",
                "items": {
                    "type": "object",
                    "properties": {
                        "id": {"type": "string", "description": "Name of the question, in snake_case"},
                        "header": {"type": "string", "description": "Heading of at most 12 characters"},
                        "question": {"type": "string", "description": "One sentence"},
                        "options": {
                            "type": "array",
                            "description": (
                                "2 or 3 choices that exclude one another, the recommended one first and marked with "
                                '"(Recommended)"; the client adds a free answer'
                            ),
                            "items": {
                                "type": "object",
                                "properties": {
                                    "label": {"type": "string", "description": "1 to 5 words"},
                                    "description": {"type": "string", "description": "What it means, one sentence"},
                                },
                                "required": ["label", "description"],
                                "additionalProperties": False,
                            },
                        },
                    },
                    "required": ["id", "header", "question", "options"],
                    "additionalProperties": False,
                },
            }
        },
        "required": ["questions"],
        "additionalProperties": False,
    },
}


@hookimpl
def tools(host: Host) -> list[Tool]:
    """Provide the tool ``request_user_input``; its implementation is imported with the first call."""

    async def run(call: ToolCall, context: ToolContext) -> ToolOutput:
        from codex_tool_user_input.tool import request_user_input

        return await request_user_input(call, context, host.logger("tool-user-input"))

    return [Tool(name=NAME, spec=SPEC, run=run, emits_own_items=True)]
