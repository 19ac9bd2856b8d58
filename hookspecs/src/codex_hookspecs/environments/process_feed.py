"""An asyncio interface to :class:`~codex_hookspecs.environments.process_log.ProcessLog`: wait for new events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from codex_hookspecs.environments.process_log import RETAINED_BYTES, ProcessLog
from codex_hookspecs.types.environment import ProcessEvent, ReadResult, Stream

PAUSE_AT = RETAINED_BYTES * 3 // 4
RESUME_AT = RETAINED_BYTES // 4


class ProcessFeed:
    """A process log with waiting readers.

    :param on_room: called when the readers have caught up after :attr:`full` was true.
    """

    __slots__ = ("__weakref__", "_held_up", "_on_room", "_waiters", "log")

    def __init__(self, on_room: Callable[[], None] | None = None) -> None:
        self.log = ProcessLog()
        self._on_room = on_room
        self._waiters: list[asyncio.Future[None]] = []
        self._held_up = False

    @property
    def full(self) -> bool:
        """Whether reading of the process's output must pause (backpressure); ``on_room`` is called to resume it."""
        if not self._held_up and self.log.backlog >= PAUSE_AT:
            self._held_up = True
        return self._held_up

    def output(self, stream: Stream, data: bytes) -> None:
        """Record output."""
        self.log.append(stream, data)
        self._wake()

    def exit(self, code: int, *, sandbox_denied: bool = False) -> None:
        """Record the exit."""
        self.log.exit(code, sandbox_denied=sandbox_denied)
        self._wake()

    def close(self) -> None:
        """Record the close."""
        self.log.close()
        self._wake()

    def fail(self, message: str) -> None:
        """Record that the process was lost."""
        self.log.fail(message)
        self._wake()

    async def read(self, after_seq: int = 0, *, max_bytes: int | None = None, wait: float = 0) -> ReadResult:
        """Return output newer than a sequence number, waiting for it at most ``wait`` seconds."""
        if wait > 0 and not self.log.has_news(after_seq):
            try:
                async with asyncio.timeout(wait):
                    while not self.log.has_news(after_seq):
                        await self.changed()
            except TimeoutError:
                pass
        return self.log.read(after_seq, max_bytes)

    def events(self) -> Events:
        """Return an iterator over all retained and later events."""
        return Events(self)

    async def changed(self) -> None:
        """Wait until another event is recorded."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            await waiter
        finally:
            if waiter in self._waiters:
                self._waiters.remove(waiter)

    def caught_up(self) -> None:
        """Resume the process if its readers have caught up."""
        if self._held_up and self.log.backlog <= RESUME_AT:
            self._held_up = False
            if self._on_room is not None:
                self._on_room()

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)


class Events:
    """Iterator over the events of a feed; a garbage-collected one no longer causes backpressure."""

    __slots__ = ("_cursor", "_feed")

    def __init__(self, feed: ProcessFeed) -> None:
        self._feed = feed
        self._cursor = feed.log.cursor()

    def __aiter__(self) -> Events:
        return self

    async def __anext__(self) -> ProcessEvent:
        while True:
            event = self._cursor.take()
            if event is not None:
                self._feed.caught_up()
                return event
            if self._cursor.done:
                raise StopAsyncIteration
            await self._feed.changed()

    async def aclose(self) -> None:
        """Stop reading."""
        self._release()

    def _release(self) -> None:
        if not self._cursor.done:
            self._cursor.close()
            self._feed.caught_up()

    def __del__(self) -> None:
        self._release()
