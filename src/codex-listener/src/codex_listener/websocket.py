"""The server's end of a WebSocket: upgrade, frames and backpressure, in callbacks of the event loop."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Final, Protocol, cast

from codex_listener.frames import TEXT_HEAD, FrameParser, TooLarge, frame_head, is_text, text_frame
from codex_listener.http_upgrade import HEAD_END, Refused, accept, read_request, respond
from codex_listener.sockets import BACKLOG, configure_socket

if TYPE_CHECKING:
    from collections.abc import Callable
    from logging import Logger

    from websockets.frames import Frame
    from websockets.protocol import Protocol as Frames

    from codex_hookspecs.auth import AcceptedClient
    from codex_listener.http_upgrade import UpgradeRequest
    from codex_listener.limits import Limits

HIGH_WATER: Final = 256 * 1024
MAX_UNSENT: Final = 8 * 1024 * 1024
"""Bytes of unsent messages beyond which reading from the client is paused."""
BATCH: Final = 256 * 1024
LARGE: Final = 64 * 1024
"""Size in bytes from which a message is written apart from its frame header, instead of being copied."""
PARTING_SECONDS: Final = 1.0
_END_BYTES: Final = 4
"""Most bytes of what ends a head."""
_HEAD_ROOM: Final = bytearray(64 * 1024)
"""Receive buffer before the upgrade; its content is copied at once, so that all connections can share it."""
_TEXT, _BINARY, _CONTINUATION = 1, 2, 0
_GOING_AWAY: Final = 1001


class Receiver(Protocol):
    """What a client's messages are for."""

    def receive(self, payload: bytes, *, text: bool) -> None:
        """Take a message; a text has been checked to be UTF-8."""
        ...

    def lost(self) -> None:
        """Note that the connection is lost."""
        ...


class WebsocketPeer(asyncio.BufferedProtocol):
    """A client that connected, over TCP or a Unix socket.

    :ivar address: the client's IP and port; ``this machine`` for a Unix socket.
    :ivar number: what the log calls the connection; ``None`` unless the server sets it.
    :ivar label: what its messages are called in errors; the server sets it.
    :ivar paused: whether the client does not read fast enough.
    :ivar gone: whether the connection is lost.
    """

    def __init__(self, listener: Listener) -> None:
        self.address = "this machine"
        self.number: int | None = None
        self.label = ""
        self.paused = False
        self.gone = False
        self._listener = listener
        self._limits = listener.limits
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._protocol: Frames | None = None
        self._receiver: Receiver | None = None
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
        if found.family != getattr(socket, "AF_UNIX", None):
            host, port = transport.get_extra_info("peername")[:2]
            self.address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._listener.begin_upgrade(self)
        self._deadline = self._loop.call_later(self._limits.upgrade_seconds, self.drop)

    def connection_lost(self, exc: Exception | None) -> None:
        """Clean up; what was received in part may be large, and is not left to the collector of cycles."""
        self.gone = True
        self._parts = bytearray()
        self._protocol = None
        self._wake()
        self._listener.end_upgrade(self)
        if self._deadline is not None:
            self._deadline.cancel()
        if self._receiver is not None:
            self._log("the connection from %s has ended", self.address)
            self._receiver.lost()

    def eof_received(self) -> bool:
        """Close the connection when the client does."""
        return False

    def get_buffer(self, sizehint: int) -> memoryview | bytearray:
        """Return the buffer for received bytes."""
        return _HEAD_ROOM if self._protocol is None else self._parser.room()

    def buffer_updated(self, nbytes: int) -> None:
        """Handle received bytes."""
        if self._receiver is not None:
            self._parser.advance(nbytes)
            self._feed(self._receiver)
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
        self._listener.end_upgrade(self)
        if self._transport.get_write_buffer_size():
            self._transport.abort()
        else:
            self._transport.close()
        self._wake()

    def close(self) -> None:
        """Say that the server goes away and close the connection when all is sent, or soon."""
        if self.gone or self._protocol is None:
            self.drop()
            return
        self._flush()
        self.gone = True
        self._protocol.send_close(_GOING_AWAY)
        self._transport.write(b"".join(self._protocol.data_to_send()))
        self._transport.close()
        self._deadline = self._loop.call_later(PARTING_SECONDS, self._transport.abort)
        self._wake()

    def _handshake(self, data: bytearray) -> None:
        searched = max(0, len(self._head) - _END_BYTES + 1)  # Not all of it again for every byte of a slow client.
        self._head += data
        end = HEAD_END.search(self._head, searched)
        if end is None:
            if len(self._head) > self._limits.max_head:
                self._refuse(respond(431))
            return
        head, more = self._head[: end.start()], self._head[end.end() :]
        self._head = b""
        request = read_request(head)
        if isinstance(request, Refused):
            self._refuse(request)
            return
        decision = self._listener.decide(request)
        if isinstance(decision, Refused):
            self._refuse(decision)
            return
        receiver = self._upgrade(request)
        name = f" ({decision.name})" if decision.name else ""
        self._log("accepted a connection from %s%s", self.address, name)
        if more:
            self._parser.take(more)
            self._feed(receiver)

    def _upgrade(self, request: UpgradeRequest) -> Receiver:
        from websockets.protocol import Protocol as Frames
        from websockets.protocol import Side

        self._protocol = Frames(Side.SERVER, max_size=(self._limits.max_message, self._limits.max_frame))
        self._parser = FrameParser(self._limits.max_frame)
        self._transport.write(accept(request))
        if self._deadline is not None:
            self._deadline.cancel()
        self._listener.end_upgrade(self)
        self._receiver = self._listener.accept(self)
        return self._receiver

    def _refuse(self, refused: Refused) -> None:
        """Send a response and close; input is read for a while, because a reset would discard the response."""
        self.gone = True
        self._listener.end_upgrade(self)
        if refused.reason:
            self._listener.logger.info("refused a connection from %s: %s", self.address, refused.reason)
        self._transport.write(refused.response)
        self._transport.write_eof()
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self._loop.call_later(PARTING_SECONDS, self._transport.abort)

    def _log(self, text: str, *values: object) -> None:
        self._listener.logger.info(text, *values, extra={"connection": self.number})

    def _feed(self, receiver: Receiver) -> None:
        try:
            while not self._pause_reasons and not self.gone and (frame := self._parser.next_frame()) is not None:
                payload, other = frame
                if payload is None:
                    self._feed_library(other)
                elif self._in_parts:  # A fragmented message is not complete yet.
                    self._transport.abort()
                    return
                else:
                    self._receive_message(payload, receiver, text=other == TEXT_HEAD)
        except TooLarge:
            self._transport.abort()

    def _feed_library(self, data: bytes) -> None:
        """Let the library handle control frames and fragmented messages."""
        protocol = self._protocol
        assert protocol is not None
        protocol.receive_data(data)
        for event in protocol.events_received():
            if not self.gone:
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

    def _handle_frame(self, frame: Frame) -> None:
        assert self._receiver is not None
        code = frame.opcode
        if code not in (_TEXT, _BINARY, _CONTINUATION):
            return
        if not self._in_parts:
            self._in_text = code == _TEXT
        self._parts += frame.data
        self._in_parts = not frame.fin
        if frame.fin:
            message, self._parts = bytes(self._parts), bytearray()
            self._receive_message(message, self._receiver, text=self._in_text)

    def _receive_message(self, payload: bytes, receiver: Receiver, *, text: bool) -> None:
        if text and not is_text(payload):
            self._transport.abort()
        else:
            receiver.receive(payload, text=text)

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
        if self._receiver is not None:
            self._feed(self._receiver)
        if not self._pause_reasons and not self._transport.is_closing():
            self._transport.resume_reading()

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)


class Listener:
    """Accepts clients on listening sockets.

    :param decide: returns whose request is to be upgraded, or how it is refused.
    :param accept: called with each client whose connection was upgraded.
    :param logger: told who is accepted and disconnected, and whose credentials are refused.
    """

    def __init__(
        self,
        decide: Callable[[UpgradeRequest], AcceptedClient | Refused],
        accept: Callable[[WebsocketPeer], Receiver],
        limits: Limits,
        logger: Logger,
    ) -> None:
        self.decide = decide
        self.accept = accept
        self.limits = limits
        self.logger = logger
        self._upgrading: dict[WebsocketPeer, None] = {}

    async def listen(self, listener: socket.socket) -> asyncio.Server:
        """Accept clients on a listening socket."""
        loop = asyncio.get_running_loop()
        if listener.family == getattr(socket, "AF_UNIX", None):
            return await loop.create_unix_server(self._make, sock=listener, backlog=BACKLOG)
        return await loop.create_server(self._make, sock=listener, backlog=BACKLOG)

    async def stop(self, accepting: asyncio.Server) -> None:
        """Accept no more clients.

        A client that asyncio has just accepted would neither be served nor closed if the server were closed at once.
        """
        for listening in accepting.sockets:
            asyncio.get_running_loop().remove_reader(listening.fileno())
        for _ in range(3):
            await asyncio.sleep(0)
        accepting.close()

    def begin_upgrade(self, peer: WebsocketPeer) -> None:
        """Note a client that connected; drop the one that has waited longest when there are too many."""
        if len(self._upgrading) >= self.limits.max_upgrades:
            next(iter(self._upgrading)).drop()
        self._upgrading[peer] = None

    def end_upgrade(self, peer: WebsocketPeer) -> None:
        """Note that a client's connection is upgraded, refused or lost."""
        self._upgrading.pop(peer, None)

    def _make(self) -> WebsocketPeer:
        return WebsocketPeer(self)
