"""Hook implementations of tool-plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_hookspecs import hookimpl
from codex_hookspecs.tools import Tool
from codex_tool_plan.definition import NAME, SPEC

if TYPE_CHECKING:
    from codex_hookspecs.tools import ToolCall, ToolContext, ToolOutput


@hookimpl
def tools() -> list[Tool]:
    """Provide the tool ``update_plan``; its implementation is imported with the first call."""

    async def run(call: ToolCall, context: ToolContext) -> ToolOutput:
        from codex_tool_plan.tool import update_plan

        return await update_plan(call, context)

    return [Tool(name=NAME, spec=SPEC, run=run, emits_own_items=True)]
