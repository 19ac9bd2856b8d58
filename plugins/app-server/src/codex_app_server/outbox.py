"""A bounded queue of messages to a client: a slow client slows down its threads."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")

LIMIT = 512


class Outbox(Generic[T]):
    """A queue with one reader.

    :param limit: number of entries at which :meth:`put` waits.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._entries: deque[T] = deque()
        self._limit = limit
        self._not_empty = asyncio.Event()
        self._not_full = asyncio.Event()
        self._not_full.set()
        self._closed = False

    def push(self, entry: T) -> None:
        """Add an entry without waiting; for responses, whose number is limited by that of requests."""
        if not self._closed:
            self._entries.append(entry)
            self._not_empty.set()

    async def put(self, entry: T) -> None:
        """Add an entry, waiting while the queue is full; ignored when it is closed."""
        while len(self._entries) >= self._limit and not self._closed:
            self._not_full.clear()
            await self._not_full.wait()
        self.push(entry)

    async def get(self) -> T | None:
        """Remove and return the oldest entry, waiting for one; ``None`` when the queue is closed and empty."""
        while not self._entries:
            if self._closed:
                return None
            self._not_empty.clear()
            await self._not_empty.wait()
        entry = self._entries.popleft()
        if len(self._entries) < self._limit:
            self._not_full.set()
        return entry

    def close(self) -> None:
        """Accept no more entries; queued ones can still be read."""
        self._closed = True
        self._not_empty.set()
        self._not_full.set()
