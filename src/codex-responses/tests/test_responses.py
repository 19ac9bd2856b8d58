"""Stream events and failures of the Responses API as model events and errors."""

from __future__ import annotations

import calendar
import time

import pytest

from codex_hookspecs.types.models import (
    Completed,
    ItemAdded,
    ItemDone,
    ReasoningDelta,
    SummaryDelta,
    SummaryPartAdded,
    TextDelta,
)
from codex_responses.events import Translator
from codex_responses.failures import RequestFailed, from_error, from_status
from codex_responses.retries import backoff, delay_in_headers, delay_in_text

NOON = calendar.timegm((2026, 11, 22, 12, 0, 0))


@pytest.fixture(autouse=True)
def utc(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"type": "response.output_item.added", "item": {"id": "m"}}, ItemAdded({"id": "m"})),
        ({"type": "response.output_item.done", "item": {"type": "message"}}, ItemDone({"type": "message"})),
        ({"type": "response.output_text.delta", "item_id": "m", "delta": "x"}, TextDelta("m", "x")),
        ({"type": "response.reasoning_summary_part.added", "item_id": "r"}, SummaryPartAdded("r", 0)),
        (
            {"type": "response.reasoning_summary_text.delta", "item_id": "r", "delta": "x", "summary_index": 2},
            SummaryDelta("r", "x", summary_index=2),
        ),
        (
            {"type": "response.reasoning_text.delta", "item_id": "r", "delta": "x", "content_index": 1},
            ReasoningDelta("r", "x", content_index=1),
        ),
        ({"type": "response.completed", "response": {"id": "r"}}, Completed("r")),
        ({"type": "response.created", "response": {}}, None),
        ({"type": "response.output_item.done", "item": {"role": "assistant"}}, None),
        ({"type": "response.output_item.added"}, None),
        ({"type": "response.output_text.delta", "delta": 7}, None),
        ({"type": "response.reasoning_text.delta"}, None),
        ({"type": "response.completed"}, None),
        ({"type": ["odd"]}, None),
        ({}, None),
    ],
)
def test_an_event_means_one_thing_or_nothing(event, expected) -> None:
    assert Translator().translate(event) == expected


def test_a_delta_without_id_belongs_to_the_open_item() -> None:
    translator = Translator()
    translator.translate({"type": "response.output_item.added", "item": {"id": "m7"}})

    assert translator.translate({"type": "response.output_text.delta", "delta": "x"}) == TextDelta("m7", "x")


@pytest.mark.parametrize("usage", [None, [], {}, {"input_tokens": "7", "input_tokens_details": None}])
def test_odd_usage_does_not_spoil_the_response(usage) -> None:
    event = Translator().translate({"type": "response.completed", "response": {"id": "r", "usage": usage}})

    assert isinstance(event, Completed)


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({"type": "response.failed"}, "stream disconnected before completion: response.failed event received"),
        ({"type": "error", "message": "went wrong"}, "stream disconnected before completion: went wrong"),
        ({"type": "error", "error": {"message": "odd"}}, "stream disconnected before completion: odd"),
        (
            {"type": "response.incomplete", "response": {}},
            "stream disconnected before completion: Incomplete response returned, reason: unknown",
        ),
    ],
)
def test_events_that_end_a_response_early_are_failures(event, message) -> None:
    with pytest.raises(RequestFailed) as failure:
        Translator().translate(event)

    assert (failure.value.message, failure.value.again) == (message, True)


@pytest.mark.parametrize(
    ("resets_at", "ending"),
    [
        (None, "Try again later."),
        ("soon", "Try again later."),
        (True, "Try again later."),
        (10**30, "Try again later."),
        (NOON + 3 * 3600 + 300, "Try again at 3:05 PM."),
        (NOON - 12 * 3600, "Try again at 12:00 AM."),
        (NOON + 86400, "Try again at Nov 23rd, 2026 12:00 PM."),
        (NOON + 9 * 86400, "Try again at Dec 1st, 2026 12:00 PM."),
        (NOON + 19 * 86400, "Try again at Dec 11th, 2026 12:00 PM."),
    ],
)
def test_a_usage_limit_says_when_it_ends(resets_at, ending, monkeypatch) -> None:
    monkeypatch.setattr(time, "time", lambda: NOON)
    body = b'{"error": {"type": "usage_limit_reached", "resets_at": %s}}' % _json(resets_at)

    failure = from_status(429, {}, body, "url")

    assert failure.message == f"You've hit your usage limit. {ending}"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "Unknown error"),
        (b"plain", "plain"),
        (b"{}", "{}"),
        (b'{"error": "text"}', '{"error": "text"}'),
        (b'{"error": {"message": "m"}}', "m"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"[" * 100_000, "[" * 1000 + "…"),
    ],
)
def test_a_status_is_told_with_its_message_or_its_body(body, told) -> None:
    assert from_status(404, {}, body, "http://h").message == f"unexpected status 404 Not Found: {told}, url: http://h"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Please try again in 1.5s.", 1.5),
        ("TRY AGAIN IN 28ms", 0.028),
        ("try again in 2 seconds", 2.0),
        ("try again in 1 second", 1.0),
        ("try again in 5 minutes", 300.0),
        ("Please try again in 1m30s.", 90.0),
        ("try again in 6m0s", 360.0),
        ("try again in 2h", 7200.0),
        ("try again in 250 milliseconds", 0.25),
        ("try again in 3 messages", None),
        ("try later", None),
    ],
)
def test_the_delay_is_read_from_the_text(text, seconds) -> None:
    assert delay_in_text(text) == seconds


@pytest.mark.parametrize("code", ["rate_limit_exceeded", "server_error", "tokens", None])
def test_a_delay_in_the_text_counts_whatever_the_code_is(code) -> None:
    assert from_error({"code": code, "message": "try again in 3s"}).delay == 3.0


@pytest.mark.parametrize("status", [401, 404, 429, 500, 503])
def test_a_delay_in_the_text_of_a_status_counts_unless_a_header_names_one(status) -> None:
    body = b'{"error":{"message":"Please try again in 3s"}}'

    assert from_status(status, {}, body, "http://h").delay == 3.0
    assert from_status(status, {"retry-after": "7"}, body, "http://h").delay == 7.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("2", 2.0),
        ("0.5", 0.5),
        ("Sun, 22 Nov 2026 12:00:07 GMT", 7.0),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("-1", None),
        ("", None),
    ],
)
def test_the_delay_is_read_from_the_header(value, seconds) -> None:
    assert delay_in_headers({"retry-after": value}, NOON) == seconds


def test_waits_double_with_a_jitter_of_a_tenth_and_end_somewhere() -> None:
    assert [round(backoff(attempt, 0.5), 3) for attempt in range(1, 5)] == [0.2, 0.4, 0.8, 1.6]
    assert (round(backoff(1, 0), 3), round(backoff(1, 1), 3)) == (0.18, 0.22)
    assert backoff(100, 1) == 60.0


def test_a_server_that_wants_too_much_patience_is_not_asked_again() -> None:
    failure = from_status(503, {"retry-after": "301"}, b"", "url")

    assert (failure.again, failure.at_once) == (False, False)
    assert failure.final().details == "the server asks to wait 301 s"


def _json(value: object) -> bytes:
    import json

    return json.dumps(value).encode()
