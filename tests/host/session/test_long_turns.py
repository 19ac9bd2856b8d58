"""Turns and threads of any length cost what is new in them, not what went before."""

from __future__ import annotations

import time
from typing import Any

from codex_hookspecs.types.items import Reasoning
from codex_host.session import response_items


async def test_an_item_costs_no_more_after_many_others(host: Any, model: Any, kit: Any) -> None:
    run = host(plugins=[], model=model("done"))
    outcome = await run.turn("go")
    thread = outcome.thread
    turn_id = thread.turns()[0].id

    async def seconds() -> float:
        began = time.process_time()
        for number in range(2_000):
            await thread.complete_item(turn_id, Reasoning(id=str(number)))
        return time.process_time() - began

    first = min([await seconds() for _ in range(3)])
    for _ in range(60):
        await seconds()

    assert min([await seconds() for _ in range(3)]) < 6 * first
    assert len(thread.turns()[0].items) > 100_000


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
