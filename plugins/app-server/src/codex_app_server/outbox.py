"""Hold what is on its way to a client, bounded, so that a slow client slows its threads down."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")

LIMIT = 512


class Outbox(Generic[T]):
    """A queue with one reader.

    :param limit: entries that may wait before :meth:`put` does.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._entries: deque[T] = deque()
        self._limit = limit
        self._filled = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._closed = False

    def push(self, entry: T) -> None:
        """Add an entry without waiting; for answers, whose number the requests bound."""
        if not self._closed:
            self._entries.append(entry)
            self._filled.set()

    async def put(self, entry: T) -> None:
        """Add an entry when there is room; dropped when the box is closed."""
        while len(self._entries) >= self._limit and not self._closed:
            self._room.clear()
            await self._room.wait()
        self.push(entry)

    async def get(self) -> T | None:
        """Take the oldest entry, waiting for one; ``None`` when the box is closed and empty."""
        while not self._entries:
            if self._closed:
                return None
            self._filled.clear()
            await self._filled.wait()
        entry = self._entries.popleft()
        if len(self._entries) < self._limit:
            self._room.set()
        return entry

    def close(self) -> None:
        """Take nothing more; what is inside can still be read."""
        self._closed = True
        self._filled.set()
        self._room.set()
