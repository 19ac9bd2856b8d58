"""A stream in memory, and notifications to report."""

from __future__ import annotations

from typing import Any

import pytest

from codex_hookspecs.protocol import (
    ItemCompleted,
    ItemStarted,
    Notification,
    ThreadTokenUsage,
    TokenUsage,
    TokenUsageUpdated,
    Turn,
    TurnCompleted,
    TurnError,
    TurnStarted,
)


class MemoryStream:
    """Standard output or standard error in memory."""

    def __init__(self, *, terminal: bool = False) -> None:
        self.terminal = terminal
        self.text = ""

    def write(self, text: str) -> None:
        self.text += text

    def line(self, text: str) -> None:
        self.write(f"{text}\n")


class NotificationMaker:
    """Builds notifications of one turn."""

    def started(self, item: Any) -> Notification:
        return ItemStarted(item=item, thread_id="t", turn_id="u", started_at_ms=1)

    def completed(self, item: Any) -> Notification:
        return ItemCompleted(item=item, thread_id="t", turn_id="u", completed_at_ms=1)

    def turn_started(self) -> Notification:
        return TurnStarted(thread_id="t", turn=Turn(id="u", status="inProgress"))

    def ended(self, status: Any = "completed", error: TurnError | None = None) -> Notification:
        return TurnCompleted(thread_id="t", turn=Turn(id="u", status=status, error=error))

    def used(self, inputs: int, cached: int, outputs: int) -> Notification:
        total = TokenUsage(input_tokens=inputs, cached_input_tokens=cached, output_tokens=outputs)
        return TokenUsageUpdated(thread_id="t", turn_id="u", token_usage=ThreadTokenUsage(total=total, last=total))


@pytest.fixture
def make() -> NotificationMaker:
    """Return a builder of notifications."""
    return NotificationMaker()


@pytest.fixture
def out() -> MemoryStream:
    """Return a stream to be used as standard output."""
    return MemoryStream()


@pytest.fixture
def err() -> MemoryStream:
    """Return a stream to be used as standard error."""
    return MemoryStream()
