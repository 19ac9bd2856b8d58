"""WebSocket transport of a connection: upgrade, frames and backpressure, in callbacks of the event loop."""

from __future__ import annotations

import asyncio
import socket
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from codex_exec_server.frames import TEXT_HEAD, FrameParser, TooLarge, frame_head, is_text, text_frame
from codex_exec_server.http_upgrade import MAX_HEAD, Refused, decide
from codex_exec_server.listening import BACKLOG, configure_socket

if TYPE_CHECKING:
    from websockets.frames import Frame
    from websockets.server import ServerProtocol

    from codex_exec_server.connection import Connection
    from codex_exec_server.server import ExecServer
    from codex_hookspecs.auth import ConnectionCheck

MAX_FRAME: Final = 16 * 1024 * 1024
MAX_MESSAGE: Final = 64 * 1024 * 1024
HIGH_WATER: Final = 256 * 1024
MAX_UNSENT: Final = 8 * 1024 * 1024
"""Bytes of unsent messages beyond which reading from the client is paused."""
BATCH: Final = 256 * 1024
LARGE: Final = 64 * 1024
"""Size in bytes from which a message is written apart from its frame header, instead of being copied."""
UPGRADE_SECONDS: Final = 10.0
PARTING_SECONDS: Final = 1.0
_HEAD_ROOM: Final = bytearray(64 * 1024)
"""Receive buffer before the upgrade; its content is copied at once, so that all connections can share it."""
_TEXT, _BINARY, _CONTINUATION = 1, 2, 0


class WebsocketPeer(asyncio.BufferedProtocol):
    """A client that connected over TCP.

    :param check: authenticates the client, or ``None``.
    """

    def __init__(self, server: ExecServer, check: ConnectionCheck | None) -> None:
        self.label = ""
        self._address = ""
        self.paused = False
        self.gone = False
        self._server = server
        self._check = check
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._protocol: ServerProtocol | None = None
        self._connection: Connection | None = None
        self._head = b""
        self._parts = bytearray()
        self._in_parts = False
        self._parser: FrameParser
        self._in_text = False
        self._queued: list[bytes] = []
        self._queued_bytes = 0
        self._flush_due = False
        self._waiters: list[asyncio.Future[None]] = []
        self._pause_reasons = 0
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Configure the socket and start the timeout of the upgrade."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=HIGH_WATER)
        found: socket.socket = transport.get_extra_info("socket")
        configure_socket(found)
        host, port = transport.get_extra_info("peername")[:2]
        self._address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self.label = f"websocket JSON-RPC message from exec-server websocket {self._address}"
        self._deadline = self._loop.call_later(UPGRADE_SECONDS, self.drop)

    def connection_lost(self, exc: Exception | None) -> None:
        """Clean up."""
        self.gone = True
        self._wake()
        if self._deadline is not None:
            self._deadline.cancel()
        if self._connection is not None:
            self._server.lose(self._connection)

    def eof_received(self) -> bool:
        """Close the connection when the client does."""
        return False

    def get_buffer(self, sizehint: int) -> memoryview | bytearray:
        """Return the buffer for received bytes."""
        return _HEAD_ROOM if self._protocol is None else self._parser.room()

    def buffer_updated(self, nbytes: int) -> None:
        """Handle received bytes."""
        if self._connection is not None:
            self._parser.advance(nbytes)
            self._feed(self._connection)
        elif not self.gone:
            self._handshake(_HEAD_ROOM[:nbytes])

    def pause_writing(self) -> None:
        """Note that the client does not read fast enough."""
        self.paused = True

    def resume_writing(self) -> None:
        """Note that the client has caught up."""
        self.paused = False
        self._wake()
        if self._pause_reasons & 2:
            self._set_paused(2, paused=False)

    def send(self, payload: bytes) -> None:
        """Send a message at once."""
        if self.gone or self._protocol is None:
            return
        if self._queued:
            self._flush()
        if len(payload) < LARGE:
            self._transport.write(text_frame(payload))
        else:
            self._transport.write(frame_head(len(payload)))
            self._transport.write(payload)
        if self.paused:
            self._limit_unsent()

    def queue(self, payload: bytes) -> None:
        """Send a message together with others of the same event loop iteration."""
        if self.gone or self._protocol is None:
            return
        self._queued += (frame_head(len(payload)), payload)
        self._queued_bytes += len(payload)
        if self._queued_bytes >= BATCH:
            self._flush()
        elif not self._flush_due:
            self._flush_due = True
            self._loop.call_soon(self._flush)

    async def room(self) -> None:
        """Wait until the client has caught up or the connection is lost."""
        if self.paused and not self.gone:
            waiter = self._loop.create_future()
            self._waiters.append(waiter)
            await waiter

    def pause_incoming(self, *, paused: bool) -> None:
        """Pause or resume reading."""
        self._set_paused(1, paused=paused)

    def drop(self) -> None:
        """Close the connection at once, without the closing handshake."""
        self._flush()
        self.gone = True
        if self._transport.get_write_buffer_size():
            self._transport.abort()
        else:
            self._transport.close()
        self._wake()

    def _handshake(self, data: bytearray) -> None:
        self._head += data
        end = self._head.find(b"\r\n\r\n")
        if end < 0 and len(self._head) <= MAX_HEAD:
            return
        head, more = self._head[: end + 4], self._head[end + 4 :]
        self._head = b""
        if not self._upgrade(head, end):
            return
        self._feed_library(head)
        if more and self._connection is not None:
            self._parser.room()[: len(more)] = more
            self._parser.advance(len(more))
            self._feed(self._connection)

    def _upgrade(self, data: bytes, end: int) -> bool:
        decision = decide(data[:end] if end >= 0 else b"", self._check)
        if isinstance(decision, Refused):
            if decision.reason:
                self._server.logger.info("refused a connection from %s: %s", self._address, decision.reason)
            self._refuse(decision.response)
            return False
        if self._check is not None:
            name = f" ({decision.name})" if decision.name else ""
            self._server.logger.info("accepted a connection from %s%s", self._address, name)
        from websockets.server import ServerProtocol

        self._protocol = ServerProtocol(max_size=(MAX_MESSAGE, MAX_FRAME))
        self._parser = FrameParser(MAX_FRAME)
        return True

    def _refuse(self, response: bytes) -> None:
        """Send a response and close; input is read for a while, because a reset would discard the response."""
        self.gone = True
        self._transport.write(response)
        self._transport.write_eof()
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self._loop.call_later(PARTING_SECONDS, self._transport.abort)

    def _feed(self, connection: Connection) -> None:
        try:
            while not self._pause_reasons and not self.gone and (frame := self._parser.next_frame()) is not None:
                payload, other = frame
                if payload is None:
                    self._feed_library(other)
                elif self._in_parts:  # A fragmented message is not complete yet.
                    self._transport.abort()
                    return
                else:
                    self._receive_message(payload, connection, text=other == TEXT_HEAD)
        except TooLarge:
            self._transport.abort()

    def _feed_library(self, data: bytes) -> None:
        """Let the library handle the upgrade, control frames and fragmented messages."""
        protocol = self._protocol
        assert protocol is not None
        protocol.receive_data(data)
        for event in protocol.events_received():
            if self._connection is None:
                self._accept(event)
            elif not self.gone:
                self._handle_frame(cast("Frame", event))
        if protocol.parser_exc is not None:
            self._transport.abort()
            return
        for piece in protocol.data_to_send():
            if piece:
                self._transport.write(piece)
            else:
                self._transport.close()
        if self.paused:
            self._limit_unsent()

    def _accept(self, request: Any) -> None:
        assert self._protocol is not None
        response = self._protocol.accept(request)
        self._protocol.send_response(response)
        if response.status_code == 101:
            if self._deadline is not None:
                self._deadline.cancel()
            self._connection = self._server.connect(self)

    def _handle_frame(self, frame: Frame) -> None:
        assert self._connection is not None
        code = frame.opcode
        if code not in (_TEXT, _BINARY, _CONTINUATION):
            return
        if not self._in_parts:
            self._in_text = code == _TEXT
        self._parts += frame.data
        self._in_parts = not frame.fin
        if frame.fin:
            message, self._parts = bytes(self._parts), bytearray()
            self._receive_message(message, self._connection, text=self._in_text)

    def _receive_message(self, payload: bytes, connection: Connection, *, text: bool) -> None:
        if text and not is_text(payload):
            self._transport.abort()
        else:
            connection.receive(payload)

    def _flush(self) -> None:
        pieces, self._queued = self._queued, []
        self._flush_due = False
        self._queued_bytes = 0
        if pieces and not self._transport.is_closing():
            self._transport.write(b"".join(pieces))

    def _set_paused(self, reason: int, *, paused: bool) -> None:
        before = self._pause_reasons
        self._pause_reasons = before | reason if paused else before & ~reason
        if self._transport.is_closing():
            return
        if self._pause_reasons and not before:
            self._transport.pause_reading()
        elif before and not self._pause_reasons:
            self._loop.call_soon(self._resume_reading)

    def _limit_unsent(self) -> None:
        if self._transport.get_write_buffer_size() > MAX_UNSENT:
            self._set_paused(2, paused=True)

    def _resume_reading(self) -> None:
        """Handle what was received already, then resume reading."""
        if self._connection is not None:
            self._feed(self._connection)
        if not self._pause_reasons and not self._transport.is_closing():
            self._transport.resume_reading()

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)


async def serve(server: ExecServer, listener: socket.socket, check: ConnectionCheck | None) -> asyncio.Server:
    """Accept clients on a listening socket."""
    make = partial(WebsocketPeer, server, check)
    return await asyncio.get_running_loop().create_server(make, sock=listener, backlog=BACKLOG)
