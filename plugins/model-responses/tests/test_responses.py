"""The events that the provider makes of a response."""

from __future__ import annotations

import pytest

from codex_hookspecs.models import (
    Completed,
    ItemAdded,
    ItemDone,
    ModelWarning,
    RateLimits,
    SummaryDelta,
    SummaryPartAdded,
    TextDelta,
)
from codex_hookspecs.protocol import TokenUsage
from codex_testkit.servers.responses import ResponsesServer

pytestmark = pytest.mark.anyio

NO_LIMITS = {
    "limitId": "codex", "limitName": None, "primary": None, "secondary": None, "credits": None, "planType": None,
}  # fmt: skip


async def answered(choose, listen, ask, script, headers=None):
    with ResponsesServer(script, headers=headers) as server:
        return await listen(choose("mock", {"base_url": server.url}), ask())


async def test_events_arrive_in_the_order_of_the_stream(choose, listen, ask) -> None:
    script = [[{"reason": "hm"}, {"say": "hello"}, {"usage": {"input": 7, "cached": 3, "output": 2, "reasoning": 1}}]]

    events = await answered(choose, listen, ask, script)

    assert [type(event) for event in events] == [
        RateLimits, ItemAdded, SummaryPartAdded, SummaryDelta, ItemDone, ItemAdded, TextDelta, ItemDone, Completed,
    ]  # fmt: skip
    assert events[3] == SummaryDelta("rs_0_0", "hm", summary_index=0)
    assert events[6] == TextDelta("msg_0_1", "hello")
    assert events[8] == Completed(
        "resp_0",
        TokenUsage(total_tokens=9, input_tokens=7, cached_input_tokens=3, output_tokens=2, reasoning_output_tokens=1),
    )


async def test_text_is_handed_on_while_it_streams(choose, ask) -> None:
    with ResponsesServer([[{"say": "first"}, {"fail": {"cut": "silence"}}]]) as server:
        stream = choose("mock", {"base_url": server.url}).stream(ask())

        seen = [await anext(stream) for _ in range(3)]

        await stream.aclose()
    assert seen[2] == TextDelta("msg_0_0", "first")


async def test_limits_without_headers_are_empty(choose, listen, ask) -> None:
    events = await answered(choose, listen, ask, [[{"say": "ok"}]])

    assert events[0] == RateLimits(NO_LIMITS)


async def test_limits_are_read_from_headers(choose, listen, ask) -> None:
    headers = {
        "x-codex-primary-used-percent": "12.5",
        "x-codex-primary-window-minutes": "300",
        "x-codex-primary-reset-at": "1704069000",
        "x-codex-secondary-used-percent": "80",
        "x-codex-credits-has-credits": "true",
        "x-codex-credits-unlimited": "0",
        "x-codex-credits-balance": "9.99",
        "x-codex-mini-primary-used-percent": "5",
        "x-codex-mini-limit-name": "mini",
    }

    events = await answered(choose, listen, ask, [[{"say": "ok"}]], headers)

    credit = {"hasCredits": True, "unlimited": False, "balance": "9.99"}
    assert [event.rate_limits for event in events[:2]] == [
        {
            **NO_LIMITS,
            "primary": {"usedPercent": 13, "windowDurationMins": 300, "resetsAt": 1704069000},
            "secondary": {"usedPercent": 80, "windowDurationMins": None, "resetsAt": None},
            "credits": credit,
        },
        {
            **NO_LIMITS,
            "limitId": "codex_mini",
            "limitName": "mini",
            "primary": {"usedPercent": 5, "windowDurationMins": None, "resetsAt": None},
            "credits": credit,
        },
    ]


@pytest.mark.parametrize("value", ["", "nan", "inf", "many", "0"])
async def test_limits_that_say_nothing_are_left_out(value, choose, listen, ask) -> None:
    events = await answered(choose, listen, ask, [[{"say": "ok"}]], {"x-codex-primary-used-percent": value})

    assert events[0] == RateLimits(NO_LIMITS)


async def test_the_user_is_warned_once_when_another_model_answers(choose, listen, ask) -> None:
    with ResponsesServer([[{"say": "1"}], [{"say": "2"}]], headers={"openai-model": "gpt-other"}) as server:
        provider = choose("mock", {"base_url": server.url})
        events = [*await listen(provider, ask()), *await listen(provider, ask())]

    warnings = [event for event in events if isinstance(event, ModelWarning)]
    assert warnings == [ModelWarning("model rerouted: gpt-5.2-codex -> gpt-other")]
