"""Results of calls for clients and the model."""

import json
from types import SimpleNamespace

import pytest

from codex_hookspecs.errors import ToolError
from codex_hookspecs.protocol import PlanStep, PlanUpdated
from codex_hookspecs.tools import ToolCall
from codex_tool_plan.plugin import tools

pytestmark = pytest.mark.anyio


class RecordingContext:
    """The part of a tool context that the tool uses; ``notifications`` is what clients get."""

    turn_id = "turn-1"
    thread = SimpleNamespace(id="thread-1")

    def __init__(self, mode: dict | None = None) -> None:
        self.settings = SimpleNamespace(collaboration_mode=mode)
        self.notifications: list[PlanUpdated] = []

    async def emit(self, notification):
        self.notifications.append(notification)


async def call(context: RecordingContext, **arguments):
    (tool,) = tools()
    return await tool.run(ToolCall(call_id="c", name="update_plan", arguments=json.dumps(arguments)), context)


async def test_a_plan_is_sent_to_clients_and_confirmed_to_the_model():
    context = RecordingContext()

    output = await call(context, plan=[{"step": "a", "status": "in_progress"}], explanation="why")

    assert output.text == "Plan updated"
    assert context.notifications == [
        PlanUpdated(thread_id="thread-1", turn_id="turn-1", explanation="why", plan=(PlanStep("a", "inProgress"),))
    ]


async def test_an_invalid_plan_is_not_sent_to_clients():
    context = RecordingContext()

    with pytest.raises(ToolError):
        await call(context, plan="x")

    assert context.notifications == []


async def test_in_plan_mode_the_tool_is_refused():
    context = RecordingContext({"mode": "plan"})

    with pytest.raises(ToolError, match="not allowed in Plan mode"):
        await call(context, plan=[])

    assert context.notifications == []


def test_the_offered_parameters_are_those_of_codex():
    (tool,) = tools()

    parameters = tool.spec["parameters"]
    assert parameters["required"] == ["plan"]
    assert set(parameters["properties"]) == {"explanation", "plan"}
    assert parameters["properties"]["plan"]["items"]["required"] == ["step", "status"]
    assert tool.spec["strict"] is False
    assert tool.emits_own_items
