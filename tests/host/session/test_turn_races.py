"""Whatever the moment at which a message arrives, it becomes part of the thread exactly once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from codex_hookspecs import StopVerdict
from codex_hookspecs.types.items import UserMessage
from codex_hookspecs.types.requests import ThreadResumeParams, ThreadStartParams
from codex_testkit import MemoryThreadStore

LIMIT = 10
GO = [{"type": "text", "text": "first"}]
LATE = [{"type": "text", "text": "second"}]


class Moment:
    """A listener that does something at one notification of the thread, counted from 0, and keeps all of them."""

    def __init__(self, thread: Any, number: int, act: Callable[[], Awaitable[None]]) -> None:
        self.seen: list[Any] = []
        self.acting: asyncio.Task[None] | None = None
        self._number, self._act = number, act
        thread.listen(self._take)

    async def _take(self, notification: Any) -> None:
        self.seen.append(notification)
        if len(self.seen) == self._number + 1:
            self.acting = asyncio.ensure_future(self._act())
            for _ in range(20):  # as far as it gets while the thread waits for this listener
                await asyncio.sleep(0)


def shape(seen: list[Any]) -> list[tuple[str, str]]:
    """Return what began and ended, by id of the turn."""
    return [(each.METHOD, each.turn.id) for each in seen if each.METHOD in ("turn/started", "turn/completed")]


def messages(seen: list[Any]) -> list[str]:
    items = [each.item for each in seen if each.METHOD == "item/completed"]
    return [item.content[0]["text"] for item in items if isinstance(item, UserMessage)]


def told(thread: Any) -> list[str]:
    """Return the texts of the user's messages in the history."""
    return [item["content"][0]["text"] for item in thread.history if item.get("role") == "user"]


def check_turns(seen: list[Any]) -> None:
    """Check that turns follow one another, and that every notification about a turn is within it."""
    running = None
    for each in seen:
        if each.METHOD == "turn/started":
            assert running is None
            running = each.turn.id
        elif each.METHOD == "turn/completed":
            assert running == each.turn.id
            running = None
        elif hasattr(each, "turn_id"):
            assert each.turn_id == running
    assert running is None


async def moments(run: Callable[[int], Awaitable[bool]]) -> int:
    """Run a case for each notification of its turn; return how many there were."""
    for number in range(60):
        async with asyncio.timeout(LIMIT):
            if not await run(number):
                return number
    raise AssertionError("the turn never ended")


@pytest.mark.parametrize("stops", [False, True], ids=["no stop hooks", "stop hooks that continue and stop"])
async def test_a_second_message_is_answered_at_every_moment_of_a_turn(
    host: Any, model: Any, kit: Any, stops: bool
) -> None:
    verdicts: list[StopVerdict] = []

    async def stop(event: Any) -> StopVerdict:
        await asyncio.sleep(0)
        return verdicts.pop() if verdicts else StopVerdict()

    opened = await host(plugins=[kit.plugin("stops", stop=stop)], model=model(*["said"] * 500)).opened()

    async def run(number: int) -> bool:
        verdicts[:] = [StopVerdict(stop_reason="enough"), StopVerdict.block("more")] if stops else []
        thread = await opened.application.threads.start(ThreadStartParams())
        ids: list[str] = []

        async def again() -> None:
            ids.append(await thread.submit(LATE))

        moment = Moment(thread, number, again)
        first = await thread.submit(GO)
        await thread.wait_idle()
        if moment.acting is None:
            return False
        await moment.acting
        await thread.wait_idle()

        check_turns(moment.seen)
        assert messages(moment.seen) == ["first", "second"]
        assert [text for text in told(thread) if not text.startswith("<")] == ["first", "second"]
        assert thread.history[-1].get("role") == "assistant"
        assert len({first, *ids}) == 2
        completed = [turn for method, turn in shape(moment.seen) if method == "turn/completed"]
        assert completed in ([first], [first, *ids])
        return True

    assert await moments(run) > 8


async def test_a_message_at_every_moment_of_an_interruption_is_kept_or_answered(
    host: Any, model: Any, kit: Any
) -> None:
    opened = await host(model=model(*["said"] * 500)).opened()

    async def run(number: int) -> bool:
        thread = await opened.application.threads.start(ThreadStartParams())

        async def interrupt() -> None:
            begun = asyncio.ensure_future(thread.interrupt())
            await asyncio.sleep(0)
            await thread.submit(LATE)
            failure = (await asyncio.gather(begun, return_exceptions=True))[0]
            assert str(failure or "") in ("", "no active turn to interrupt")

        moment = Moment(thread, number, interrupt)
        await thread.submit(GO)
        await thread.wait_idle()
        if moment.acting is None:
            return False
        await moment.acting
        await thread.wait_idle()

        check_turns(moment.seen)
        assert messages(moment.seen) == ["first", "second"]
        assert thread.history[-1].get("role") == "assistant"
        return True

    assert await moments(run) > 8


async def test_a_message_at_every_moment_of_unloading_is_kept_or_refused(host: Any, model: Any, kit: Any) -> None:
    opened = await host(model=model(*["said"] * 500)).opened()

    async def run(number: int) -> bool:
        thread = await opened.application.threads.start(ThreadStartParams())
        outcome: list[str] = []

        async def unload() -> None:
            begun = asyncio.ensure_future(opened.application.threads.unload(thread.id))
            await asyncio.sleep(0)
            taken = (await asyncio.gather(thread.submit(LATE), return_exceptions=True))[0]
            outcome.append("taken" if isinstance(taken, str) else str(taken))
            await begun

        moment = Moment(thread, number, unload)
        await thread.submit(GO)
        await thread.wait_idle()
        if moment.acting is None:
            return False
        await moment.acting

        check_turns(moment.seen)
        if outcome != ["taken"]:
            assert outcome == [f"thread not found: {thread.id}"]
        assert messages(moment.seen) == (["first", "second"] if outcome == ["taken"] else ["first"])
        return True

    assert await moments(run) > 8


async def test_messages_sent_at_once_make_one_turn_in_their_order(host: Any, model: Any, kit: Any) -> None:
    thread = await (await host(model=model(*["said"] * 50)).opened()).thread()
    watching = kit.Watching(thread)
    texts = [f"message {number}" for number in range(20)]

    ids = await asyncio.gather(*(thread.submit([{"type": "text", "text": text}]) for text in texts))
    await thread.wait_idle()

    assert len(set(ids)) == 20
    assert shape(watching.seen) == [("turn/started", ids[0]), ("turn/completed", ids[0])]
    assert messages(watching.seen) == texts


async def test_messages_of_a_failing_turn_are_kept(host: Any, model: Any, kit: Any) -> None:
    scripted = model([{"say": "one"}, {"failed": ["invalid_prompt", "nope"]}], "fine")
    thread = await (await host(model=scripted).opened()).thread()

    async def again() -> None:
        await thread.submit(LATE)

    moment = Moment(thread, 4, again)
    await thread.submit(GO)
    await thread.wait_idle()

    assert messages(moment.seen) == ["first", "second"]
    assert moment.seen[-1].turn.status == "failed"


async def test_a_thread_that_is_resumed_while_it_is_unloaded_is_loaded_once_and_completely(
    host: Any, model: Any
) -> None:
    opened = await host(model=model(*["said"] * 50), store=MemoryThreadStore()).opened()
    threads = opened.application.threads
    thread = await threads.start(ThreadStartParams())
    await thread.submit(GO)
    await thread.wait_idle()

    unloading = asyncio.ensure_future(threads.unload(thread.id))
    params = ThreadResumeParams(thread_id=thread.id)
    first, second = await asyncio.gather(threads.resume(params), threads.resume(params))
    await unloading
    await first.submit(LATE)
    await first.wait_idle()

    assert first is second
    assert first is not thread
    assert told(first)[-2:] == ["first", "second"]
