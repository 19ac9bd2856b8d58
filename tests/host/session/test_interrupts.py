"""Steering, interrupting and adding context while a turn runs."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from codex_hookspecs import InterruptVerdict, StopVerdict, ToolOutput, UserPromptVerdict
from codex_hookspecs.errors import RpcError
from codex_hookspecs.ports.models import ModelProvider
from codex_hookspecs.types.items import UserMessage
from codex_hookspecs.types.models import TextDelta
from codex_hookspecs.types.notifications import WarningNotice
from codex_hookspecs.types.tools import ToolCall
from codex_host.plugins import tasks
from codex_host.session import tool_calls

GO = [{"type": "text", "text": "go"}]


def said(text: str) -> list[dict[str, str]]:
    return [{"type": "text", "text": text}]


class Gate:
    """A tool that waits until it is let go."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.open = asyncio.Event()
        self.cancelled = False

    async def run(self, call: ToolCall, context: Any) -> ToolOutput:
        self.reached.set()
        try:
            await self.open.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return ToolOutput("let go")


@pytest.fixture
def gate() -> Gate:
    return Gate()


async def started(host: Any, kit: Any, gate: Gate, scripted: Any, *plugins: Any, **options: Any) -> Any:
    """Begin a turn that waits at the gate; return its thread."""
    run = host(plugins=[kit.toolbox(kit.tool("gate", gate.run)), *plugins], model=scripted, **options)
    thread = await (await run.opened()).thread()
    await thread.submit(GO)
    async with asyncio.timeout(5):
        await gate.reached.wait()
    return thread


# --- steering


async def test_a_steered_message_joins_the_running_turn(host: Any, model: Any, kit: Any, gate: Gate) -> None:
    scripted = model([{"call": "gate", "call_id": "c"}], "done")
    thread = await started(host, kit, gate, scripted)

    turn_id = await thread.steer(said("and this"), expected_turn_id=thread.active_turn_id)
    gate.open.set()
    await thread.wait_idle()

    [turn] = await thread.turns()
    assert turn.id == turn_id
    assert [item.content[0]["text"] for item in turn.items if isinstance(item, UserMessage)] == ["go", "and this"]
    assert kit.texts(scripted.requests[1].input)[-2:] == [("output", "let go"), ("user", "and this")]


async def test_a_message_submitted_in_a_turn_steers_it(host: Any, model: Any, kit: Any, gate: Gate) -> None:
    scripted = model([{"call": "gate"}], "done")
    thread = await started(host, kit, gate, scripted)

    await thread.submit(said("and this"))
    gate.open.set()
    await thread.wait_idle()

    assert len(await thread.turns()) == 1
    assert scripted.told() == ["go", "and this"]


async def test_a_steered_message_passes_the_prompt_hooks(host: Any, model: Any, kit: Any, gate: Gate) -> None:
    async def user_prompt_submit(event: Any) -> UserPromptVerdict | None:
        return UserPromptVerdict(block_reason="no") if event.prompt == "bad" else None

    scripted = model([{"call": "gate"}], "done", "not asked")
    plugin = kit.plugin("p", user_prompt_submit=user_prompt_submit)
    thread = await started(host, kit, gate, scripted, plugin)

    await thread.steer(said("bad"), expected_turn_id=thread.active_turn_id)
    gate.open.set()
    await thread.wait_idle()

    assert scripted.told() == ["go"]
    assert len(scripted.requests) == 2


async def test_a_message_that_comes_while_stop_hooks_run_is_answered(host: Any, model: Any, kit: Any) -> None:
    told: list[str] = []

    async def stop(event: Any) -> None:
        if not told:
            told.append("once")
            await thread.steer(said("wait"), expected_turn_id=event.turn_id)

    scripted = model("one", "two")
    run = host(plugins=[kit.plugin("p", stop=stop)], model=scripted)
    thread = await (await run.opened()).thread()

    outcome = await run.turn("go")

    assert outcome.final_message == "two"
    assert scripted.told() == ["go", "wait"]


async def test_a_blocked_message_at_the_end_makes_no_further_request(host: Any, model: Any, kit: Any) -> None:
    async def stop(event: Any) -> None:
        if not event.stop_hook_active:
            await thread.steer(said("bad"), expected_turn_id=event.turn_id)

    async def user_prompt_submit(event: Any) -> UserPromptVerdict | None:
        return UserPromptVerdict(block_reason="no") if event.prompt == "bad" else None

    scripted = model("one", "two")
    run = host(plugins=[kit.plugin("p", stop=stop, user_prompt_submit=user_prompt_submit)], model=scripted)
    thread = await (await run.opened()).thread()

    outcome = await run.turn("go")

    assert outcome.final_message == "one"
    assert len(scripted.requests) == 1


async def test_only_the_expected_running_turn_is_steered(host: Any, model: Any, kit: Any, gate: Gate) -> None:
    thread = await started(host, kit, gate, model([{"call": "gate"}], "done"))

    with pytest.raises(RpcError, match=f"expected active turn id `other` but found `{thread.active_turn_id}`"):
        await thread.steer(said("x"), expected_turn_id="other")
    with pytest.raises(RpcError, match="input must not be empty"):
        await thread.steer([], expected_turn_id=thread.active_turn_id)
    gate.open.set()
    await thread.wait_idle()

    with pytest.raises(RpcError, match="no active turn to steer"):
        await thread.steer(said("x"), expected_turn_id="any")


async def test_a_message_at_the_very_end_of_a_turn_is_not_lost(host: Any, model: Any, kit: Any) -> None:
    scripted = model("one", "two")
    run = host(model=scripted)
    thread = await (await run.opened()).thread()
    late: list[asyncio.Task[str]] = []

    async def listener(notification: Any) -> None:
        if notification.METHOD == "thread/status/changed" and notification.status["type"] == "idle" and not late:
            late.append(asyncio.create_task(thread.submit(said("late"))))

    thread.listen(listener)
    await run.turn("go")
    await late[0]
    await thread.wait_idle()

    assert scripted.told() == ["go", "late"]


# --- interrupting


async def test_an_interrupted_turn_ends_as_such_and_the_next_one_works(
    host: Any, model: Any, kit: Any, gate: Gate
) -> None:
    stops: list[Any] = []
    interrupts: list[Any] = []
    plugin = kit.plugin(
        "p",
        stop=kit.answering(None, stops),
        interrupt=kit.answering(InterruptVerdict(system_message="the build still runs"), interrupts),
    )
    scripted = model([{"call": "gate", "call_id": "c"}], "second answer")
    thread = await started(host, kit, gate, scripted, plugin)
    watching = kit.Watching(thread)
    turn_id = thread.active_turn_id

    await thread.interrupt(turn_id)

    assert gate.cancelled
    assert [turn.status for turn in (await thread.turns())] == ["interrupted"]
    assert watching.of("turn/completed")[0].turn.status == "interrupted"
    assert watching.of("error") == []
    assert [each.message for each in watching.of("warning")] == ["the build still runs"]
    assert [event.turn_id for event in interrupts] == [turn_id]
    assert stops == []

    await thread.submit(said("next"))
    await thread.wait_idle()

    assert (await thread.turns())[1].status == "completed"
    sent = kit.texts(scripted.requests[1].input)
    assert sent[:3] == [("user", "go"), ("function_call",), ("output", "aborted")]
    assert sent[3][0] == "user"
    assert sent[3][1].startswith("<turn_aborted>")
    assert sent[4] == ("user", "next")


async def test_a_turn_can_be_interrupted_before_it_really_began(host: Any, model: Any, kit: Any) -> None:
    scripted = model("never")
    thread = await (await host(model=scripted).opened()).thread()
    watching = kit.Watching(thread)

    turn_id = await thread.submit(GO)
    await thread.interrupt(turn_id)

    assert [each.METHOD for each in watching.of("turn/started", "turn/completed")] == ["turn/started", "turn/completed"]
    assert (await thread.turns())[0].status == "interrupted"
    assert scripted.requests == []


async def test_a_model_that_streams_can_be_interrupted(host: Any, model: Any, kit: Any) -> None:
    scripted = model([{"say": "a beginning"}, {"delay": 60}, {"say": "never"}])
    thread = await (await host(model=scripted).opened()).thread()
    watching = kit.Watching(thread)
    await thread.submit(GO)
    await watching.until("item/completed", 2)

    async with asyncio.timeout(5):
        await thread.interrupt()

    assert (await thread.turns())[0].status == "interrupted"
    assert "a beginning" in str(thread.history)


async def test_messages_that_wait_are_kept_for_the_turn_after_an_interrupted_one(
    host: Any, model: Any, kit: Any, gate: Gate
) -> None:
    scripted = model([{"call": "gate"}], "fresh")
    thread = await started(host, kit, gate, scripted)
    await thread.steer(said("waiting"), expected_turn_id=thread.active_turn_id)

    await thread.interrupt()
    await thread.submit(said("next"))
    await thread.wait_idle()

    assert scripted.told().index("waiting") < scripted.told().index("next")


async def test_only_the_running_turn_can_be_interrupted(host: Any, model: Any, kit: Any, gate: Gate) -> None:
    thread = await started(host, kit, gate, model([{"call": "gate"}], "done"))

    with pytest.raises(RpcError, match="expected active turn id `other`"):
        await thread.interrupt("other")
    gate.open.set()
    await thread.wait_idle()

    with pytest.raises(RpcError, match="no active turn to interrupt"):
        await thread.interrupt()


async def test_several_interruptions_at_once_are_one(host: Any, model: Any, kit: Any, gate: Gate) -> None:
    thread = await started(host, kit, gate, model([{"call": "gate"}], "done"))

    async with asyncio.timeout(5):
        await asyncio.gather(thread.interrupt(), thread.interrupt())

    assert [turn.status for turn in (await thread.turns())] == ["interrupted"]


async def test_a_tool_that_swallows_the_interruption_does_not_keep_the_turn(host: Any, model: Any, kit: Any) -> None:
    reached = asyncio.Event()

    async def run(call: ToolCall, context: Any) -> ToolOutput:
        reached.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            return ToolOutput("what cancellation?")
        return ToolOutput("late")

    scripted = model([{"call": "deaf"}], "never")
    thread = await (await host(plugins=[kit.toolbox(kit.tool("deaf", run))], model=scripted).opened()).thread()
    await thread.submit(GO)
    await reached.wait()

    async with asyncio.timeout(5):
        await thread.interrupt()

    assert (await thread.turns())[0].status == "interrupted"
    assert len(scripted.requests) == 1


async def test_a_tool_that_goes_on_forever_is_left_behind(
    host: Any, model: Any, kit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tool_calls, "CLEAN_UP", 0.02)
    reached, over = asyncio.Event(), asyncio.Event()
    seen: list[Any] = []

    async def run(call: ToolCall, context: Any) -> ToolOutput:
        reached.set()
        while not over.is_set():
            with suppress(asyncio.CancelledError):
                await over.wait()
        return ToolOutput("at last")

    async def listener(notification: Any) -> None:
        seen.append(notification)

    thread = await (
        await host(plugins=[kit.toolbox(kit.tool("deaf", run))], model=model([{"call": "deaf"}])).opened()
    ).thread()
    thread.listen(listener)
    await thread.submit(GO)
    await reached.wait()

    async with asyncio.timeout(5):
        await thread.interrupt()

    over.set()
    assert (await thread.turns())[0].status == "interrupted"
    [warning] = [each.message for each in seen if isinstance(each, WarningNotice)]
    assert warning.startswith("plugin toolbox (toolbox 0): tool deaf did not end when it was cancelled")
    assert f"{__file__}:{run.__code__.co_firstlineno + 4}" in warning


async def test_a_model_provider_that_swallows_the_interruption_does_not_keep_the_turn(
    host: Any, model: Any, kit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "GRACE", 0.02)
    reached, over = asyncio.Event(), asyncio.Event()

    class Deaf(ModelProvider):
        default_model = "gpt-test"

        async def stream(self, request: Any) -> Any:
            reached.set()
            while not over.is_set():
                with suppress(asyncio.CancelledError):
                    await over.wait()
            yield TextDelta("x", "too late")

        async def aclose(self) -> None:
            pass

    thread = await (await host(model=Deaf()).opened()).thread()
    await thread.submit(GO)
    await reached.wait()

    async with asyncio.timeout(5):
        await thread.interrupt()

    over.set()
    assert (await thread.turns())[0].status == "interrupted"


async def test_a_model_provider_that_fails_is_named_with_the_place(host: Any, kit: Any) -> None:
    class Broken(ModelProvider):
        default_model = "gpt-test"

        async def stream(self, request: Any) -> Any:
            yield TextDelta("x", "so far")
            raise KeyError("missing")

        async def aclose(self) -> None:
            pass

    outcome = await host(
        plugins=[kit.plugin("brain", model_provider=lambda name: Broken())], config={"model_provider": "broken"}
    ).turn("go")

    line = Broken.stream.__code__.co_firstlineno + 2
    assert outcome.turn.error.message == (
        f"plugin brain (brain 0): the model provider raised KeyError: 'missing' ({__file__}:{line})"
    )


async def test_a_listener_may_interrupt_the_turn_it_hears_of(host: Any, model: Any, kit: Any) -> None:
    thread = await (await host(model=model([{"delay": 60}])).opened()).thread()

    async def listener(notification: Any) -> None:
        if notification.METHOD == "turn/started":
            await thread.interrupt()

    thread.listen(listener)

    async with asyncio.timeout(5):
        await thread.submit(GO)
        await thread.wait_idle()

    assert (await thread.turns())[0].status == "interrupted"


async def test_a_hook_may_interrupt_its_own_turn(host: Any, model: Any, kit: Any) -> None:
    async def user_prompt_submit(event: Any, host: Any) -> None:
        await host.threads.get(event.session_id).interrupt(event.turn_id)

    scripted = model("never")
    run = host(plugins=[kit.plugin("p", user_prompt_submit=user_prompt_submit)], model=scripted)

    async with asyncio.timeout(5):
        outcome = await run.turn("go")

    assert outcome.turn.status == "interrupted"
    assert scripted.requests == []


async def test_a_failing_interrupt_hook_is_told_and_the_turn_ends(host: Any, model: Any, kit: Any, gate: Gate) -> None:
    async def interrupt(event: Any) -> None:
        raise ValueError("no luck")

    thread = await started(host, kit, gate, model([{"call": "gate"}]), kit.plugin("p", interrupt=interrupt))
    watching = kit.Watching(thread)

    await thread.interrupt()

    assert [each.message for each in watching.of("warning")] == [
        f"plugin p (p 0): interrupt raised ValueError: no luck ({__file__}:{interrupt.__code__.co_firstlineno + 1})"
    ]
    assert (await thread.turns())[0].status == "interrupted"


async def test_unloading_a_thread_ends_its_turn(host: Any, model: Any, kit: Any, gate: Gate) -> None:
    ended: list[Any] = []
    scripted = model([{"call": "gate"}])
    thread = await started(host, kit, gate, scripted, kit.plugin("p", session_end=kit.answering(None, ended)))
    order: list[str] = []

    def closing(name: str) -> Any:
        async def close() -> None:
            order.append(name)
            if name == "broken":
                raise ValueError

        return close

    for name in ("first", "broken", "last"):
        thread.on_close(closing(name))

    await thread.aclose()
    await thread.aclose()

    assert gate.cancelled
    assert order == ["last", "broken", "first"]
    assert [event.session_id for event in ended] == [thread.id]
    assert scripted.closed == 1
    with pytest.raises(RpcError, match="thread not found"):
        await thread.submit(GO)


# --- context


async def test_context_added_in_a_turn_causes_one_more_request(host: Any, model: Any, kit: Any) -> None:
    async def stop(event: Any) -> StopVerdict | None:
        if not added:
            added.append("once")
            await thread.add_context("by the way")
        return None

    added: list[str] = []
    scripted = model("one", "two")
    run = host(plugins=[kit.plugin("p", stop=stop)], model=scripted)
    thread = await (await run.opened()).thread()

    outcome = await run.turn("go")

    assert outcome.final_message == "two"
    assert kit.texts(scripted.requests[1].input)[-1] == ("developer", "by the way")


async def test_context_added_while_a_tool_runs_comes_after_its_output(
    host: Any, model: Any, kit: Any, gate: Gate
) -> None:
    scripted = model([{"call": "gate"}], "done")
    thread = await started(host, kit, gate, scripted)

    await thread.add_context("by the way")
    gate.open.set()
    await thread.wait_idle()

    assert kit.texts(scripted.requests[1].input)[-2:] == [("output", "let go"), ("developer", "by the way")]
    assert len(scripted.requests) == 2


async def test_context_added_between_turns_waits_for_the_next_request(host: Any, model: Any, kit: Any) -> None:
    scripted = model("one", "two")
    run = host(model=scripted)
    thread = (await run.turn("go")).thread

    await thread.add_context("in between")
    await run.turn("again")

    assert kit.texts(scripted.requests[1].input)[-2:] == [("user", "again"), ("developer", "in between")]
    assert len(scripted.requests) == 2
