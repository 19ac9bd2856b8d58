"""What one turn has, goes with it: its plan, its diff, and what clients have added to it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from codex_hookspecs.protocol import PlanStep, PlanUpdated, TurnDiffUpdated
from codex_hookspecs.types.storage import Observed
from codex_hookspecs.types.tools import ToolCall, ToolOutput
from codex_testkit import MemoryThreadStore

GO = [{"type": "text", "text": "go"}]


@pytest.fixture
def store() -> MemoryThreadStore:
    return MemoryThreadStore()


async def telling(call: ToolCall, context: Any) -> ToolOutput:
    """Tell clients a plan and a diff, both named after the call."""
    ids = {"thread_id": context.thread.id, "turn_id": context.turn_id}
    await context.emit(PlanUpdated(plan=(PlanStep(call.call_id, "pending"),), **ids))
    await context.emit(TurnDiffUpdated(diff=call.call_id, **ids))
    return ToolOutput("told")


def kept(store: MemoryThreadStore, thread_id: str) -> list[Any]:
    return [record for record in store.threads[thread_id] if isinstance(record, Observed)]


async def test_plan_and_diff_are_kept_once_with_the_turn_that_told_them(
    host: Any, model: Any, kit: Any, store: MemoryThreadStore
) -> None:
    scripted = model([{"call": "tell", "call_id": "a"}], "done", [{"call": "tell", "call_id": "b"}], "done")
    run = host(plugins=[kit.toolbox(kit.tool("tell", telling))], model=scripted, store=store)

    first, second = await run.turn("go"), await run.turn("on")

    records = kept(store, first.thread.id)
    assert [(record.turn_id, type(record.notification)) for record in records] == [
        (first.turn.id, PlanUpdated),
        (first.turn.id, TurnDiffUpdated),
        (second.turn.id, PlanUpdated),
        (second.turn.id, TurnDiffUpdated),
    ]


async def test_a_turn_tells_its_own_diff_again_after_each_response(
    host: Any, model: Any, kit: Any, store: MemoryThreadStore
) -> None:
    scripted = model([{"call": "tell", "call_id": "a"}], "done", "no change")
    run = host(plugins=[kit.toolbox(kit.tool("tell", telling))], model=scripted, store=store)

    first, second = await run.turn("go"), await run.turn("on")

    assert [each.diff for each in first.notifications if isinstance(each, TurnDiffUpdated)] == ["a"] * 3
    assert [each for each in second.notifications if isinstance(each, TurnDiffUpdated)] == []


async def test_what_others_tell_clients_is_not_kept(host: Any, model: Any, store: MemoryThreadStore) -> None:
    run = host(model=model("done"), store=store)
    thread = (await run.turn("go")).thread

    await thread.notify(PlanUpdated(thread_id=thread.id, turn_id="other", plan=()))

    assert kept(store, thread.id) == []


async def test_a_message_added_to_an_interrupted_turn_stays_in_the_history(host: Any, model: Any, kit: Any) -> None:
    scripted = model([{"say": "one"}, {"delay": 60}], "done")
    thread = await (await host(model=scripted).opened()).thread()
    watching = kit.Watching(thread)
    await thread.submit(GO)
    await watching.until("item/completed", 2)
    await thread.steer([{"type": "text", "text": "late"}], expected_turn_id=thread.active_turn_id)

    await thread.interrupt()
    async with asyncio.timeout(5):
        await thread.submit(GO)
        await thread.wait_idle()

    late = [item for item in thread.history if "late" in str(item["content"])]
    assert len(late) == 1
