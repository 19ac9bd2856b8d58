"""Go on with a coroutine that was already run to its first suspension."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator
from contextlib import suppress
from typing import Any

GRACE = 2.0
"""Seconds in which a cancelled implementation may clean up before it is left behind."""


class Resumed:
    """Go on with a coroutine of a plugin that may already have been run to its first suspension.

    It may catch a cancellation to clean up; when it is not done after a moment, it is left behind.

    :param grace: how long that moment is, seconds.
    """

    def __init__(self, coroutine: Coroutine[Any, Any, Any], yielded: Any = None, *, grace: float | None = None) -> None:
        self._coroutine = coroutine
        self._yielded = yielded
        self._seconds = GRACE if grace is None else grace
        self._grace: asyncio.TimerHandle | None = None
        self._late = False

    def __await__(self) -> Generator[Any, Any, Any]:
        coroutine, yielded = self._coroutine, self._yielded
        step: Callable[[Any], Any]
        value: Any
        try:
            while True:
                try:
                    sent = yield yielded
                except GeneratorExit:
                    coroutine.close()
                    raise
                except asyncio.CancelledError as error:
                    self._cancelled()
                    step, value = coroutine.throw, error
                except BaseException as error:
                    step, value = coroutine.throw, error
                else:
                    step, value = coroutine.send, sent
                try:
                    yielded = step(value)
                except StopIteration as finished:
                    return finished.value
        finally:
            if self._grace is not None:
                self._grace.cancel()

    def _cancelled(self) -> None:
        task = asyncio.current_task()
        if task is None:
            return
        if self._late:
            task.uncancel()
            with suppress(RuntimeError):  # it catches even the end
                self._coroutine.close()
            raise asyncio.CancelledError
        if self._grace is None:
            self._grace = asyncio.get_running_loop().call_later(self._seconds, self._expire, task)

    def _expire(self, task: asyncio.Task[Any]) -> None:
        self._late = True
        task.cancel()
