"""Carry messages over one websocket connection, with bounded memory in both directions."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from codex_hookspecs.errors import ConfigError

if TYPE_CHECKING:
    from ssl import SSLContext

    from websockets.client import ClientProtocol
    from websockets.frames import Frame

CONNECT_SECONDS: Final = 5.0
QUIET_SECONDS: Final = 15.0
"""After this long without a word the other side is asked for one; after twice as long it counts as gone."""
CLOSE_SECONDS: Final = 1.0
MAX_MESSAGE: Final = 64 * 1024 * 1024
FRAME_BYTES: Final = 4 * 1024 * 1024
RECEIVE_BUFFER: Final = 256 * 1024
"""What is under way when a connection breaks must fit into what a server retains."""
_TEXT, _CONTINUATION, _BINARY = 1, 0, 2


class Target(NamedTuple):
    """Where an exec-server is.

    :param token: bearer token for the upgrade; never shown.
    :param environ: variables that name the authorities it is verified with.
    """

    url: str
    token: str | None = None
    environ: Mapping[str, str] = {}


class LinkError(Exception):
    """Raised when a connection can't be made or is lost; the text is for the log."""


class Link(asyncio.Protocol):
    """One connection.

    :param on_message: called with each message as it came.
    :param on_lost: called once when it is over, with the reason.
    """

    def __init__(
        self, protocol: ClientProtocol, on_message: Callable[[bytes], None], on_lost: Callable[[str], None]
    ) -> None:
        self._protocol = protocol
        self._on_message = on_message
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._opened: asyncio.Future[None] = self._loop.create_future()
        self._gone: asyncio.Future[None] = self._loop.create_future()
        self._room: asyncio.Future[None] | None = None
        self._parts: list[bytes] = []
        self._held = False
        self._heard = self._looked = self._loop.time()
        self._watch: asyncio.TimerHandle | None = None
        self._reason = "the connection was closed"

    @property
    def _usable(self) -> bool:
        return not self._gone.done() and self._protocol.state.name == "OPEN"

    async def open(self, token: str | None) -> None:
        """Upgrade the connection.

        :raises LinkError: when the server refuses.
        """
        request = self._protocol.connect()
        if token is not None:
            request.headers["Authorization"] = f"Bearer {token}"
        self._protocol.send_request(request)
        self._flush()
        await self._opened
        self._looked = self._loop.time()
        self._watch = self._loop.call_later(QUIET_SECONDS, self._look)

    async def send(self, payload: bytes) -> None:
        """Send a message, waiting while the other side does not take what was sent before.

        :raises LinkError: when the connection is lost.
        """
        while self._room is not None and not self._gone.done():
            await asyncio.shield(self._room)
        self.post(payload)

    def post(self, payload: bytes) -> None:
        """Send a short message at once.

        :raises LinkError: when the connection is lost.
        """
        if not self._usable:
            raise LinkError(self._reason)
        view = memoryview(payload)
        self._protocol.send_text(view[:FRAME_BYTES], fin=len(view) <= FRAME_BYTES)
        for start in range(FRAME_BYTES, len(view), FRAME_BYTES):
            end = start + FRAME_BYTES
            self._protocol.send_continuation(view[start:end], fin=end >= len(view))
        self._flush()

    def hold(self, *, held: bool) -> None:
        """Read nothing more, or go on."""
        if held == self._held or self._transport is None or self._gone.done():
            return
        self._held = held
        self._heard = self._loop.time()
        if held:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def drop(self, reason: str) -> None:
        """End the connection at once."""
        self._end(reason)
        if self._transport is not None:
            self._transport.abort()

    async def aclose(self) -> None:
        """Say good-bye and end the connection."""
        if self._transport is None or self._gone.done():
            return
        if self._usable:
            self._protocol.send_close(1000)
            self._flush()
        self._transport.close()
        await asyncio.wait((self._gone,), timeout=CLOSE_SECONDS)
        self.drop("the connection was closed")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("socket")
        if peer is not None:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)

    def data_received(self, data: bytes) -> None:
        """Take bytes."""
        self._heard = self._loop.time()
        self._protocol.receive_data(data)
        self._handle()

    def eof_received(self) -> None:
        """Take the end of what comes."""
        self._protocol.receive_eof()
        self._handle()

    def connection_lost(self, error: Exception | None) -> None:
        """Note that the connection is over."""
        self._end(str(error) if error is not None else self._reason)

    def pause_writing(self) -> None:
        """Have senders wait."""
        self._room = self._loop.create_future()

    def resume_writing(self) -> None:
        """Let senders go on."""
        room, self._room = self._room, None
        if room is not None and not room.done():
            room.set_result(None)

    def _handle(self) -> None:
        for event in self._protocol.events_received():
            if self._opened.done():
                self._framed(cast("Frame", event))
            elif self._protocol.handshake_exc is None:
                self._opened.set_result(None)
            else:
                self._opened.set_exception(LinkError(str(self._protocol.handshake_exc)))
        problem = self._protocol.handshake_exc or self._protocol.parser_exc
        if problem is not None:
            self._reason = str(problem)
        self._flush()

    def _framed(self, frame: Frame) -> None:
        if frame.opcode not in (_TEXT, _CONTINUATION, _BINARY):
            return
        if frame.fin and not self._parts:
            self._on_message(bytes(frame.data))
            return
        self._parts.append(bytes(frame.data))
        if frame.fin:
            whole, self._parts = b"".join(self._parts), []
            self._on_message(whole)

    def _flush(self) -> None:
        assert self._transport is not None
        for data in self._protocol.data_to_send():
            if data:
                self._transport.write(data)
            else:
                self._transport.close()
        if self._protocol.close_expected() and not self._gone.done():
            self._loop.call_later(CLOSE_SECONDS, self.drop, self._reason)

    def _look(self) -> None:
        """See to it that a connection that says nothing is not waited for without end."""
        now = self._loop.time()
        if now - self._looked > 2 * QUIET_SECONDS:
            self._heard = now  # Who was asleep has heard nothing, and can't say that there was nothing to hear.
        self._looked = now
        quiet = 0.0 if self._held else now - self._heard
        if quiet >= 2 * QUIET_SECONDS:
            self.drop("the server says nothing")
            return
        if quiet >= QUIET_SECONDS and self._usable:
            self._protocol.send_ping(b"")
            self._flush()
        self._watch = self._loop.call_later(QUIET_SECONDS, self._look)

    def _end(self, reason: str) -> None:
        if self._gone.done():
            return
        self._reason = reason
        self._gone.set_result(None)
        if self._watch is not None:
            self._watch.cancel()
        self.resume_writing()
        if self._opened.done():
            self._on_lost(reason)
        else:
            self._opened.set_exception(LinkError(reason))
            self._opened.exception()  # Nobody may be waiting for it any more.


async def open_link(target: Target, on_message: Callable[[bytes], None], on_lost: Callable[[str], None]) -> Link:
    """Connect to an exec-server.

    :raises LinkError: when that fails or takes too long.
    """
    # Only who works on another machine pays for the library.
    from websockets.client import ClientProtocol
    from websockets.uri import parse_uri

    uri = parse_uri(target.url)
    link = Link(ClientProtocol(uri, max_size=MAX_MESSAGE), on_message, on_lost)
    try:
        secure: dict[str, Any] = {"ssl": _tls(target), "server_hostname": uri.host} if uri.secure else {}
        async with asyncio.timeout(CONNECT_SECONDS):
            await asyncio.get_running_loop().create_connection(lambda: link, uri.host, uri.port, **secure)
            await link.open(target.token)
    except BaseException as error:
        link.drop("it was not opened")
        if isinstance(error, TimeoutError):
            raise LinkError(f"no answer within {CONNECT_SECONDS:g} seconds") from error
        if isinstance(error, OSError):
            raise LinkError(_os_text(error)) from error
        raise
    return link


def _tls(target: Target) -> SSLContext:
    import certifi

    from codex_hookspecs.http_policy import tls_context

    try:
        return tls_context(target.environ, bundle=certifi.where())
    except ConfigError as error:
        raise LinkError(str(error)) from error


def _os_text(error: OSError) -> str:
    """Return the operating system's text, the same for every address that was tried, or what is wrong with TLS."""
    import ssl  # asyncio has it already

    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"its certificate can't be verified: {error.verify_message}; for an authority of your own, "
            "name its PEM file in CODEX_CA_CERTIFICATE"
        )
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason or error}"
    if error.errno is not None and error.errno > 0:
        return f"{os.strerror(error.errno)} (os error {error.errno})"
    return "no address of it takes connections" if error.errno is None else str(error.strerror)
