"""A bounded queue of messages to a client, so that a slow one costs a bounded amount of memory."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final, Generic, TypeVar

T = TypeVar("T")

PATIENT: Final = 512
"""Notifications that are queued for a client that the server waits for."""
IMPATIENT: Final = 4096
"""Notifications that are queued for one client of several."""
MAX_BYTES: Final = 4 * 1024 * 1024
"""Bytes of queued notifications, and of queued responses, that count as full as well; one more message always fits."""
_PROGRESS: Final = 16
"""The part of a full queue that counts as progress when it is read."""


class _Lane:
    """The part of a queue that is limited by itself."""

    def __init__(self) -> None:
        self.entries = 0
        self.bytes = 0
        self.read_entries = 0
        self.read_bytes = 0
        self.not_full = asyncio.Event()
        self.not_full.set()


class Outbox(Generic[T]):
    """A queue with one reader, in which notifications and responses are limited separately but keep their order.

    :param limit: entries of each kind at which the queue is full.
    """

    def __init__(self, limit: int = PATIENT) -> None:
        self._entries: deque[tuple[T, int, _Lane]] = deque()
        self._limit = limit
        self._notifications = _Lane()
        self._responses = _Lane()
        self._not_empty = asyncio.Event()
        self._closed = False

    @property
    def full(self) -> bool:
        """Whether notifications wait for room."""
        return not self._closed and self._is_full(self._notifications)

    def progressed(self) -> bool:
        """Return whether there is room, or a part of the queue was read since the last call."""
        lane = self._notifications
        read = lane.read_entries * _PROGRESS >= self._limit or lane.read_bytes * _PROGRESS >= MAX_BYTES
        lane.read_entries = lane.read_bytes = 0
        return read or not self.full

    def offer(self, entry: T, size: int = 0) -> bool:
        """Add a notification without waiting, to a full queue, too; a closed one ignores it.

        :param size: its bytes.
        :return: whether there was room: a queue has at most twice as many entries or bytes as a full one.
        """
        if self._closed:
            return True
        if self._is_full(self._notifications, times=2):
            return False
        self._add(entry, size, self._notifications)
        return True

    async def put(self, entry: T, size: int = 0) -> None:
        """Add a notification, waiting while the queue is full; a closed one ignores it."""
        await self._put(entry, size, self._notifications)

    async def respond(self, entry: T, size: int = 0) -> None:
        """Add a response, waiting while the queue is full of responses; a closed one ignores it."""
        await self._put(entry, size, self._responses)

    async def get(self) -> T | None:
        """Remove and return the oldest entry, waiting for one; ``None`` when the queue is closed and empty."""
        while not self._entries:
            if self._closed:
                return None
            self._not_empty.clear()
            await self._not_empty.wait()
        entry, size, lane = self._entries.popleft()
        lane.entries -= 1
        lane.bytes -= size
        lane.read_entries += 1
        lane.read_bytes += size
        if not self._is_full(lane):
            lane.not_full.set()
        return entry

    def close(self, *, discard: bool = False) -> None:
        """Accept no more entries; queued ones can still be read.

        :param discard: whether to drop the queued ones.
        """
        self._closed = True
        if discard:
            self._entries.clear()
        self._not_empty.set()
        for lane in (self._notifications, self._responses):
            lane.not_full.set()

    async def _put(self, entry: T, size: int, lane: _Lane) -> None:
        while self._is_full(lane) and not self._closed:
            lane.not_full.clear()
            await lane.not_full.wait()
        if not self._closed:
            self._add(entry, size, lane)

    def _add(self, entry: T, size: int, lane: _Lane) -> None:
        lane.entries += 1
        lane.bytes += size
        self._entries.append((entry, size, lane))
        self._not_empty.set()

    def _is_full(self, lane: _Lane, times: int = 1) -> bool:
        return lane.entries >= self._limit * times or lane.bytes >= MAX_BYTES * times
