"""What a call of the tool tells clients and the model."""

import json
from types import SimpleNamespace

import pytest

from codex_hookspecs.errors import ToolError
from codex_hookspecs.protocol import PlanStep, PlanUpdated
from codex_hookspecs.tools import ToolCall
from codex_tool_plan.plugin import tools

pytestmark = pytest.mark.anyio


class Listening:
    """The part of a tool's context that this tool uses; ``told`` is what clients hear."""

    turn_id = "turn-1"
    thread = SimpleNamespace(id="thread-1")

    def __init__(self, mode: dict | None = None) -> None:
        self.settings = SimpleNamespace(collaboration_mode=mode)
        self.told: list[PlanUpdated] = []

    async def emit(self, notification):
        self.told.append(notification)


async def call(context: Listening, **arguments):
    (tool,) = tools()
    return await tool.run(ToolCall(call_id="c", name="update_plan", arguments=json.dumps(arguments)), context)


async def test_a_plan_is_told_to_clients_and_confirmed_to_the_model():
    context = Listening()

    output = await call(context, plan=[{"step": "a", "status": "in_progress"}], explanation="why")

    assert output.text == "Plan updated"
    assert context.told == [
        PlanUpdated(thread_id="thread-1", turn_id="turn-1", explanation="why", plan=(PlanStep("a", "inProgress"),))
    ]


async def test_a_plan_that_can_not_be_read_is_not_told():
    context = Listening()

    with pytest.raises(ToolError):
        await call(context, plan="x")

    assert context.told == []


async def test_in_plan_mode_the_tool_is_refused():
    context = Listening({"mode": "plan"})

    with pytest.raises(ToolError, match="not allowed in Plan mode"):
        await call(context, plan=[])

    assert context.told == []


def test_the_offered_parameters_are_those_of_codex():
    (tool,) = tools()

    parameters = tool.spec["parameters"]
    assert parameters["required"] == ["plan"]
    assert set(parameters["properties"]) == {"explanation", "plan"}
    assert parameters["properties"]["plan"]["items"]["required"] == ["step", "status"]
    assert tool.spec["strict"] is False
    assert tool.emits_own_items
