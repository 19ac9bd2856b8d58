"""Transport over standard input and output, one JSON object per line."""

from __future__ import annotations

import asyncio
import os
import select
from collections import deque
from typing import TYPE_CHECKING, Final

from codex_hookspecs.jsonrpc import LineFramer

if TYPE_CHECKING:
    from collections.abc import Callable
    from logging import Logger

_CHUNK: Final = 1 << 16


class StdioTransport:
    """Standard input and output of the process.

    Both stay in blocking mode, because other processes may share them: input is read when it is readable, and output is
    written in pieces of at most ``PIPE_BUF`` bytes, which a writable pipe accepts without blocking.

    :param log: logs lines that are too long.
    """

    name = "stdio"
    patient = True

    def __init__(self, log: Logger, *, source: int = 0, target: int = 1) -> None:
        self._log = log
        self._source = source
        self._target = target
        self._framer = LineFramer()
        self._lines: deque[bytes] = deque()
        self._ended = False

    async def receive(self) -> bytes | None:
        """Return the next line, or ``None`` at the end of standard input."""
        while not self._lines and not self._ended:
            await _ready(self._source, asyncio.get_running_loop().add_reader, asyncio.get_running_loop().remove_reader)
            data = os.read(self._source, _CHUNK)
            self._ended = not data
            self._lines.extend(self._framer.feed(data) if data else self._framer.finish())
            if self._framer.dropped:
                self._log.warning("ignored a line that is longer than allowed")
                self._framer.dropped = 0
        return self._lines.popleft() if self._lines else None

    async def send(self, message: bytes) -> None:
        """Write a line."""
        loop = asyncio.get_running_loop()
        rest = memoryview(message + b"\n")
        while rest:
            if not select.select([], [self._target], [], 0)[1]:
                await _ready(self._target, loop.add_writer, loop.remove_writer)
            rest = rest[os.write(self._target, rest[: select.PIPE_BUF]) :]

    def drop(self) -> None:
        """Read no more."""
        self._ended = True


async def _ready(
    descriptor: int,
    add: Callable[[int, Callable[[], object]], None],
    remove: Callable[[int], bool],
) -> None:
    ready = asyncio.Event()
    try:
        add(descriptor, ready.set)
    except PermissionError:
        # A regular file can't be polled; it is always ready.
        return
    try:
        await ready.wait()
    finally:
        remove(descriptor)
