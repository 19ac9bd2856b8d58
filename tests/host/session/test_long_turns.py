"""Turns and threads of any length cost what is new in them, not what went before."""

from __future__ import annotations

import itertools
import sys
import time
from typing import Any

from codex_hookspecs.types.items import Reasoning
from codex_host.session import response_items


async def test_an_item_costs_no_more_after_many_others(host: Any, model: Any, kit: Any) -> None:
    run = host(plugins=[], model=model("done"))
    outcome = await run.turn("go")
    thread = outcome.thread
    turn_id = (await thread.turns())[0].id

    numbers = itertools.count()

    async def seconds() -> float:
        began = time.process_time()
        for number in itertools.islice(numbers, 2_000):
            await thread.complete_item(turn_id, Reasoning(id=str(number)))
        return time.process_time() - began

    first = min([await seconds() for _ in range(3)])
    for _ in range(60):
        await seconds()

    assert min([await seconds() for _ in range(3)]) < 6 * first
    assert len((await thread.turns())[0].items) > 100_000


async def test_history_that_was_sent_once_is_not_looked_through_again(
    host: Any, model: Any, kit: Any, monkeypatch: Any
) -> None:
    looked_at: list[int] = []
    original = response_items.repair_history

    def counting(items: Any) -> Any:
        looked_at.append(len(items))
        return original(items)

    monkeypatch.setattr("codex_host.session.thread_state.repair_history", counting)
    calls = [[{"call": "echo"}] for _ in range(50)]

    await host(plugins=[kit.toolbox(kit.saying("echo", "e"))], model=model(*calls, "done")).turn("go")

    assert len(looked_at) == 51
    assert max(looked_at[1:]) == 2


async def test_a_turn_costs_no_more_after_three_hundred_others(host: Any, model: Any) -> None:
    run = host(plugins=[], model=model(*["done" for _ in range(303)]))
    thread = await (await run.opened()).thread()

    async def calls() -> int:
        """Run a turn; return how many functions of the host were called in it."""
        count = 0

        def counted(frame: Any, event: str, argument: Any) -> None:
            nonlocal count
            count += event == "call" and "codex_host" in frame.f_code.co_filename

        sys.setprofile(counted)
        try:
            await thread.submit([{"type": "text", "text": "go"}])
            await thread.wait_idle()
        finally:
            sys.setprofile(None)
        return count

    first = [await calls() for _ in range(3)][-1]
    for _ in range(297):
        await thread.submit([{"type": "text", "text": "go"}])
        await thread.wait_idle()
    last = min([await calls() for _ in range(3)])

    assert last <= 1.2 * first
