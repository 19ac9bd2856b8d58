"""Serve one client over stdin and stdout, one JSON message per line."""

from __future__ import annotations

import asyncio
import os
import stat
import sys
import threading
from collections import deque
from typing import TYPE_CHECKING, Final

from codex_hookspecs.jsonrpc import LineFramer

if TYPE_CHECKING:
    from codex_exec_server.connection import Connection
    from codex_exec_server.server import ExecServer

MAX_LINE: Final = 64 * 1024 * 1024
HIGH_WATER: Final = 128 * 1024
_READ = 256 * 1024


class StdioPeer:
    """The client at the other end of stdin and stdout.

    :ivar over: set when the client has closed stdin or stdout.
    """

    def __init__(self, server: ExecServer, source: int = 0, target: int = 1) -> None:
        self.label = "JSON-RPC message from exec-server stdio"
        self.paused = False
        self.gone = False
        self.over = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._source = source
        self._target = os.dup(target)
        self._framer = LineFramer(max_message=MAX_LINE)
        self._pending: deque[bytes] = deque()
        self._size = 0
        self._room: list[asyncio.Future[None]] = []
        self._writing = False
        self._blocking = not _can_poll(self._target)
        self._lines: deque[bytes] = deque()
        self._input_paused = False
        self._ended = False
        self._taken = threading.Event()
        self._connection: Connection = server.connect(self)
        if not self._blocking:
            os.set_blocking(self._target, False)
        threading.Thread(target=self._read_stdin, name="stdin", daemon=True).start()

    def send(self, payload: bytes) -> None:
        """Send a message."""
        if self.gone:
            return
        self._pending.append(payload + b"\n")
        self._size += len(payload) + 1
        if not self._writing:
            self._flush()
        self.paused = self._size > HIGH_WATER

    queue = send

    async def room(self) -> None:
        """Wait until the client has caught up or is gone."""
        if self.paused and not self.gone:
            waiter = self._loop.create_future()
            self._room.append(waiter)
            await waiter

    def pause_incoming(self, *, paused: bool) -> None:
        """Pause or resume reading."""
        self._input_paused = paused
        if not paused:
            self._loop.call_soon(self._resume_reading)

    def drop(self) -> None:
        """Close the connection."""
        if self.gone:
            return
        self.gone = True
        if self._writing:
            self._loop.remove_writer(self._target)
        os.close(self._target)
        self._wake()
        self.over.set()

    def _read_stdin(self) -> None:
        """Read until the end, on a separate thread: stdin may be a file, which an event loop can't wait for."""
        while True:
            try:
                data = os.read(self._source, _READ)
            except OSError:
                data = b""
            if self._loop.is_closed():
                return
            self._taken.clear()
            self._loop.call_soon_threadsafe(self._take, data)
            if not data:
                return
            self._taken.wait()

    def _take(self, data: bytes) -> None:
        self._lines += self._framer.feed(data) if data else self._framer.finish()
        self._ended = not data
        self._resume_reading()

    def _resume_reading(self) -> None:
        """Handle the messages that were read; let the thread read more when none are left."""
        while self._lines and not self._input_paused and not self.gone:
            self._connection.receive(self._lines.popleft())
        if self._input_paused and not self.gone:
            return
        self._lines.clear()
        self._taken.set()
        if self._ended:
            self.drop()

    def _flush(self) -> None:
        while self._pending:
            piece = self._pending[0]
            try:
                count = os.write(self._target, piece)
            except BlockingIOError:
                count = 0
            except OSError:
                self.drop()
                return
            self._size -= count
            if count < len(piece):
                self._pending[0] = piece[count:]
                if not self._writing:
                    self._writing = True
                    self._loop.add_writer(self._target, self._flush)
                return
            self._pending.popleft()
        if self._writing:
            self._writing = False
            self._loop.remove_writer(self._target)
        if self.paused:
            self.paused = False
            self._wake()

    def _wake(self) -> None:
        waiters, self._room = self._room, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)


def _can_poll(descriptor: int) -> bool:
    mode = os.fstat(descriptor).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or (stat.S_ISCHR(mode) and sys.platform == "linux")
