"""What the server does, how often it is asked, and what the user reads: as measured on Codex 0.118.0."""

from __future__ import annotations

from typing import Any

import pytest

from codex_hookspecs.errors import ModelError
from codex_hookspecs.models import Completed, ItemDone, Retrying
from codex_testkit.servers.responses import ResponsesServer

pytestmark = pytest.mark.anyio

HIGH_DEMAND = "We're currently experiencing high demand, which may cause temporary errors."
AT_CAPACITY = "Selected model is at capacity. Please try a different model."
NO_ROOM = (
    "Codex ran out of room in the model's context window. Start a new thread or clear earlier history before retrying."
)
PLUS = "To use Codex with your ChatGPT plan, upgrade to Plus: https://chatgpt.com/explore/plus."
LOST = "stream disconnected before completion: "
INNER = [0.2, 0.4, 0.8, 1.6]
TOO_MANY = "exceeded retry limit, last status: 429 Too Many Requests"
LIMIT = {"responseTooManyFailedAttempts": {"httpStatusCode": 429}}
OUTER = [0.2, 0.4, 0.8, 1.6, 3.2]


def both_layers() -> list[float]:
    waits = list(INNER)
    for wait in OUTER:
        waits += [wait, *INNER]
    return waits


def always(**failure: Any) -> list[Any]:
    return [[{"fail": {"always": True, **failure}}]]


FAILURES = {
    "500": (
        always(status=500),
        30,
        both_layers(),
        HIGH_DEMAND,
        "internalServerError",
    ),
    "503": (
        always(status=503, message="busy"),
        30,
        both_layers(),
        "unexpected status 503 Service Unavailable: busy, url: {url}",
        "other",
    ),
    "503 overloaded": (
        always(status=503, code="server_is_overloaded"),
        5,
        INNER,
        AT_CAPACITY,
        "serverOverloaded",
    ),
    "429": (
        always(status=429),
        1,
        [],
        TOO_MANY,
        LIMIT,
    ),
    "429 usage limit": (
        always(status=429, type="usage_limit_reached"),
        1,
        [],
        "You've hit your usage limit. Try again later.",
        "usageLimitExceeded",
    ),
    "429 not included": (
        always(status=429, type="usage_not_included"),
        1,
        [],
        PLUS,
        "usageLimitExceeded",
    ),
    "429 with a long Retry-After": (
        always(status=429, retry_after=3600),
        1,
        [],
        TOO_MANY,
        LIMIT,
    ),
    "400": (
        always(status=400, message="bad thing"),
        1,
        [],
        '{{"error": {{"message": "bad thing"}}}}',
        "other",
    ),
    "401": (
        always(status=401, message="bad key"),
        6,
        OUTER,
        "unexpected status 401 Unauthorized: bad key, url: {url}",
        "other",
    ),
    "403 with an id": (
        always(status=403, message="no", headers={"x-request-id": "req_1"}),
        6,
        OUTER,
        "unexpected status 403 Forbidden: no, url: {url}, request id: req_1",
        "other",
    ),
    "404": (
        always(status=404, message="none"),
        6,
        OUTER,
        "unexpected status 404 Not Found: none, url: {url}",
        "other",
    ),
    "cut": (
        always(cut="before_completed"),
        6,
        OUTER,
        LOST + "stream closed before response.completed",
        "other",
    ),
    "abrupt end": (
        always(cut="abrupt"),
        6,
        OUTER,
        LOST + "Transport error: network error: error decoding response body",
        "other",
    ),
    "silence": (
        always(cut="silence"),
        6,
        OUTER,
        LOST + "idle timeout waiting for SSE",
        "other",
    ),
    "rate limit": (
        always(code="rate_limit_exceeded", message="Please try again in 1.5s"),
        6,
        [1.5] * 5,
        LOST + "Please try again in 1.5s",
        "other",
    ),
    "context": (
        always(code="context_length_exceeded"),
        1,
        [],
        NO_ROOM,
        "contextWindowExceeded",
    ),
    "quota": (
        always(code="insufficient_quota"),
        1,
        [],
        "Quota exceeded. Check your plan and billing details.",
        "usageLimitExceeded",
    ),
    "not included": (
        always(code="usage_not_included"),
        1,
        [],
        PLUS,
        "usageLimitExceeded",
    ),
    "overloaded": (
        always(code="server_is_overloaded"),
        1,
        [],
        AT_CAPACITY,
        "serverOverloaded",
    ),
    "slow down": (
        always(code="slow_down"),
        1,
        [],
        AT_CAPACITY,
        "serverOverloaded",
    ),
    "invalid prompt": (
        always(code="invalid_prompt", message="the prompt is bad"),
        1,
        [],
        "the prompt is bad",
        "other",
    ),
    "other code": (
        always(code="server_error", message="went wrong"),
        6,
        OUTER,
        LOST + "went wrong",
        "other",
    ),
    "incomplete": (
        always(incomplete="max_output_tokens"),
        6,
        OUTER,
        LOST + "Incomplete response returned, reason: max_output_tokens",
        "other",
    ),
}


@pytest.mark.parametrize("case", FAILURES)
async def test_a_failure_that_stays_ends_with_its_text_after_its_attempts(case, patient, waits, ask, outlast) -> None:
    script, requests, slept, message, info = FAILURES[case]
    with ResponsesServer(script) as server:
        provider = patient(server.url, **({"stream_idle_timeout_ms": 60} if case == "silence" else {}))

        events, failure = await outlast(provider, ask())

        assert str(failure) == message.format(url=f"{server.url}/responses")
        assert failure.info == info
        assert len(server.turns) == requests
        assert waits.seconds == slept
        again = 5 if requests in {6, 30} else 0
        told = [event.message for event in events if isinstance(event, Retrying)]
        assert told == [f"Reconnecting... {n}/5" for n in range(1, again + 1)]


@pytest.mark.parametrize(
    ("failures", "slept"),
    [
        ([{"status": 500}, {"status": 500}], [0.2, 0.4]),
        ([{"status": 503, "retry_after": 2}], [2.0]),
    ],
)
async def test_a_server_in_trouble_is_asked_again_silently(failures, slept, patient, waits, ask, listen) -> None:
    with ResponsesServer([*([{"fail": failure}] for failure in failures), [{"say": "ok"}]]) as server:
        events = await listen(patient(server.url), ask())

        assert len(server.turns) == len(failures) + 1
    assert waits.seconds == slept
    assert not any(isinstance(event, Retrying) for event in events)
    assert isinstance(events[-1], Completed)


@pytest.mark.parametrize(
    ("failure", "slept", "status", "details"),
    [
        (
            {"status": 429, "retry_after": 1},
            1.0,
            429,
            "exceeded retry limit, last status: 429 Too Many Requests",
        ),
        (
            {"code": "rate_limit_exceeded", "message": "Rate limit reached, try again in 1.5s"},
            1.5,
            None,
            LOST + "Rate limit reached, try again in 1.5s",
        ),
        ({"status": 401, "message": "no"}, 0.2, 401, "unexpected status 401 Unauthorized: no, url: {url}"),
    ],
)
async def test_the_user_is_told_of_each_new_attempt(
    failure, slept, status, details, patient, waits, ask, listen
) -> None:
    with ResponsesServer([[{"fail": failure}], [{"say": "ok"}]]) as server:
        events = await listen(patient(server.url), ask())

        assert [event for event in events if isinstance(event, Retrying)] == [
            Retrying(
                message="Reconnecting... 1/5",
                info={"responseStreamDisconnected": {"httpStatusCode": status}},
                details=details.format(url=f"{server.url}/responses"),
            )
        ]
    assert waits.seconds == [slept]


async def test_an_unreachable_server_is_tried_in_both_layers(patient, waits, ask, listen) -> None:
    provider = patient("http://127.0.0.1:1/v1", request_max_retries=1, stream_max_retries=1)

    with pytest.raises(ModelError) as failure:
        await listen(provider, ask())

    assert str(failure.value) == LOST + "error sending request for url (http://127.0.0.1:1/v1/responses)"
    assert "refused" in (failure.value.details or "") or "Connect call failed" in (failure.value.details or "")
    assert waits.seconds == [0.2, 0.2, 0.2]


async def test_a_retry_sends_the_same_prompt_again(patient, ask, listen) -> None:
    cut = [{"say": "half"}, {"fail": {"cut": "before_completed"}}]
    with ResponsesServer([cut, [{"say": "whole"}]]) as server:
        events = await listen(patient(server.url), ask())

        first, second = server.turns
    assert first.body == second.body
    assert [event.item["content"][0]["text"] for event in events if isinstance(event, ItemDone)] == ["half", "whole"]


async def test_retries_can_be_switched_off(patient, waits, ask, listen) -> None:
    with ResponsesServer(always(status=500)) as server:
        with pytest.raises(ModelError):
            await listen(patient(server.url, request_max_retries=0, stream_max_retries=0), ask())

        assert len(server.turns) == 1
    assert waits.seconds == []
