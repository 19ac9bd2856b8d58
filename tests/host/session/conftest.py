"""Whole turns of the host with plugins made of a few functions."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from codex_hookspecs import Tool, hookimpl
from codex_hookspecs.types.tools import ToolCall, ToolOutput

LIMIT = 5.0
"""Seconds after which a test that waits has failed."""


class Watching:
    """What a client sees of a thread."""

    def __init__(self, thread: Any) -> None:
        self.seen: list[Any] = []
        self._changed = asyncio.Event()
        thread.listen(self._take)

    async def _take(self, notification: Any) -> None:
        self.seen.append(notification)
        self._changed.set()

    def of(self, *methods: str) -> list[Any]:
        """Return the notifications of some methods."""
        return [each for each in self.seen if each.METHOD in methods]

    async def until(self, method: str, count: int = 1) -> Any:
        """Wait for a notification and return it."""
        async with asyncio.timeout(LIMIT):
            while len(self.of(method)) < count:
                self._changed.clear()
                await self._changed.wait()
        return self.of(method)[count - 1]


class Kit:
    """Names for what session tests are made of."""

    Watching = Watching

    @staticmethod
    def plugin(name: str, **functions: Callable[..., Any]) -> tuple[str, object]:
        """Return a named plugin with marked functions."""
        return name, SimpleNamespace(**{hook: hookimpl(function) for hook, function in functions.items()})

    @staticmethod
    def answering(answer: Any, seen: list[Any] | None = None) -> Callable[..., Any]:
        """Return an implementation of a lifecycle hook that answers one thing and keeps the events."""

        async def implementation(event: Any) -> Any:
            if seen is not None:
                seen.append(event)
            return answer

        return implementation

    @staticmethod
    def tool(name: str, run: Callable[[ToolCall, Any], Awaitable[Any]], **options: Any) -> Tool:
        """Return a tool."""
        return Tool(name=name, spec={"type": "function", "name": name}, run=run, **options)

    @classmethod
    def toolbox(cls, *tools: Tool, **hooks: Any) -> tuple[str, object]:
        """Return a plugin that offers tools."""
        return cls.plugin("toolbox", tools=lambda thread: list(tools), **hooks)

    @classmethod
    def saying(cls, name: str, text: str, **options: Any) -> Tool:
        """Return a tool that gives one text."""

        async def run(call: ToolCall, context: Any) -> ToolOutput:
            return ToolOutput(text)

        return cls.tool(name, run, **options)

    @staticmethod
    def texts(items: Sequence[dict[str, Any]]) -> list[tuple[str, ...]]:
        """Return kind or role and texts of the items of a request."""
        shown: list[tuple[str, ...]] = []
        for item in items:
            if item["type"] == "message":
                shown.append((item["role"], *(part["text"] for part in item["content"])))
            elif item["type"].endswith("_output"):
                shown.append(("output", item["output"]))
            else:
                shown.append((item["type"],))
        return shown


@pytest.fixture
def kit() -> type[Kit]:
    return Kit


@pytest.fixture
def host(host: Callable[..., Any]) -> Callable[..., Any]:
    """Return a factory of hosts whose plugins may fail: that is what is looked at here."""
    return partial(host, failures=None)
