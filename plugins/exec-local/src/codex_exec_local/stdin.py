"""A bounded queue of bytes for a child's stdin that never blocks the event loop."""

from __future__ import annotations

import asyncio
import os
from collections import deque

_QUEUED_WRITES = 128


class StdinQueue:
    """Writes to one descriptor, in order; when the child has closed its end, everything is discarded.

    :param descriptor: non-blocking; closed with the queue.
    """

    def __init__(self, descriptor: int, loop: asyncio.AbstractEventLoop) -> None:
        self._descriptor: int | None = descriptor
        self._loop = loop
        self._pending: deque[memoryview] = deque()
        self._order = asyncio.Lock()
        self._room = asyncio.Event()
        self._ended = False

    async def put(self, data: bytes) -> None:
        """Queue bytes; waits, in order of the calls, while the queue is full."""
        async with self._order:
            while len(self._pending) >= _QUEUED_WRITES and self._descriptor is not None:
                self._room.clear()
                await self._room.wait()
            if self._descriptor is None or not data:
                return
            self._pending.append(memoryview(data))
            if len(self._pending) == 1:
                self._flush()

    async def finish(self) -> None:
        """Close the descriptor once everything is written; waits, in order of the calls, for calls of :meth:`put`."""
        async with self._order:
            self._ended = True
            self._flush()

    def close(self) -> None:
        """Close the descriptor and discard what was not written."""
        if self._descriptor is not None:
            self._loop.remove_writer(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = None
        self._pending.clear()
        self._room.set()

    def _flush(self) -> None:
        descriptor = self._descriptor
        if descriptor is None:
            return
        while self._pending:
            try:
                count = os.write(descriptor, self._pending[0])
            except (BlockingIOError, InterruptedError):
                self._loop.add_writer(descriptor, self._flush)
                return
            except OSError:  # The other end is gone: EPIPE, or EIO on a terminal.
                self.close()
                return
            if count < len(self._pending[0]):
                self._pending[0] = self._pending[0][count:]
            else:
                self._pending.popleft()
                self._room.set()
        self._loop.remove_writer(descriptor)
        if self._ended:
            self.close()
