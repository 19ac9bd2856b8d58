"""The tool ``update_plan``: send the agent's plan to clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_hookspecs.errors import ToolError
from codex_hookspecs.protocol import PlanUpdated
from codex_hookspecs.tools import ToolCall, ToolOutput
from codex_tool_plan.arguments import parse_plan
from codex_tool_plan.definition import NAME

if TYPE_CHECKING:
    from codex_hookspecs.tools import ToolContext


async def update_plan(call: ToolCall, context: ToolContext) -> ToolOutput:
    """Send the plan of a call to clients.

    :raises ToolError: when the arguments are invalid, or in plan mode, where the plan is the answer itself.
    """
    mode = context.settings.collaboration_mode
    if mode is not None and mode.get("mode") == "plan":
        raise ToolError(f"{NAME} is a TODO/checklist tool and is not allowed in Plan mode")
    explanation, steps = parse_plan(call.arguments)
    await context.emit(
        PlanUpdated(thread_id=context.thread.id, turn_id=context.turn_id, explanation=explanation, plan=steps)
    )
    return ToolOutput("Plan updated")
