"""A WebSocket connection to an exec-server, with bounded memory in both directions."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from codex_hookspecs.errors import ConfigError
from codex_hookspecs.surface import escape_controls_in_line

if TYPE_CHECKING:
    from ssl import SSLContext

    from websockets.client import ClientProtocol
    from websockets.frames import Frame

CONNECT_SECONDS: Final = 5.0
KEEPALIVE_SECONDS: Final = 15.0
"""Keepalive: ping after this many idle seconds, disconnect after twice as many."""
CLOSE_SECONDS: Final = 1.0
MAX_MESSAGE: Final = 64 * 1024 * 1024
FRAME_BYTES: Final = 4 * 1024 * 1024
RECEIVE_BUFFER: Final = 256 * 1024
"""Kernel receive buffer; data in flight when a connection is lost must fit into what a server retains."""
UNAUTHORIZED: Final = 401
MAX_REASON: Final = 200
"""Most characters shown of the text with which a server refuses a connection."""
_HINT: Final = "to send a token, configure the environment with environments.NAME.token_env_var"
_TEXT, _CONTINUATION, _BINARY = 1, 0, 2


class Target(NamedTuple):
    """Address and credentials of an exec-server.

    :param token: bearer token for the upgrade; never shown.
    :param environ: variables that name the certificate authorities for verifying the server.
    """

    url: str
    token: str | None = None
    environ: Mapping[str, str] = {}


class LinkError(Exception):
    """Raised when a connection can't be opened or is lost; the text is for the log."""


class WebSocketLink(asyncio.Protocol):
    """A connection.

    :param on_message: called with each message.
    :param on_lost: called once with the reason when the connection is closed or lost.
    """

    def __init__(
        self, protocol: ClientProtocol, on_message: Callable[[bytes], None], on_lost: Callable[[str], None]
    ) -> None:
        self._protocol = protocol
        self._on_message = on_message
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._handshake: asyncio.Future[None] = self._loop.create_future()
        self._closed: asyncio.Future[None] = self._loop.create_future()
        self._writable: asyncio.Future[None] | None = None
        self._parts: list[bytes] = []
        self._paused = False
        self._authorized = False
        self._last_received = self._last_check = self._loop.time()
        self._keepalive: asyncio.TimerHandle | None = None
        self._reason = "the connection was closed"

    @property
    def _usable(self) -> bool:
        return not self._closed.done() and self._protocol.state.name == "OPEN"

    async def open(self, token: str | None) -> None:
        """Perform the WebSocket handshake.

        :raises LinkError: when the server rejects it.
        """
        request = self._protocol.connect()
        self._authorized = token is not None
        if token is not None:
            request.headers["Authorization"] = f"Bearer {token}"
        self._protocol.send_request(request)
        self._flush()
        await self._handshake
        self._last_check = self._loop.time()
        self._keepalive = self._loop.call_later(KEEPALIVE_SECONDS, self._check_keepalive)

    async def send(self, payload: bytes) -> None:
        """Send a message, with backpressure.

        :raises LinkError: when the connection is lost.
        """
        while self._writable is not None and not self._closed.done():
            await asyncio.shield(self._writable)
        self.post(payload)

    def post(self, payload: bytes) -> None:
        """Send a short message at once, without backpressure.

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

    def pause_reading(self, *, paused: bool) -> None:
        """Pause or resume reading."""
        if paused == self._paused or self._transport is None or self._closed.done():
            return
        self._paused = paused
        self._last_received = self._loop.time()
        if paused:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def drop(self, reason: str) -> None:
        """Abort the connection."""
        self._end(reason)
        if self._transport is not None:
            self._transport.abort()

    async def aclose(self) -> None:
        """Close the connection with the closing handshake."""
        if self._transport is None or self._closed.done():
            return
        if self._usable:
            self._protocol.send_close(1000)
            self._flush()
        self._transport.close()
        await asyncio.wait((self._closed,), timeout=CLOSE_SECONDS)
        self.drop("the connection was closed")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport and set the receive buffer."""
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("socket")
        if peer is not None:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)

    def data_received(self, data: bytes) -> None:
        """Handle received bytes."""
        self._last_received = self._loop.time()
        self._protocol.receive_data(data)
        self._handle()

    def eof_received(self) -> None:
        """Handle the end of the stream."""
        self._protocol.receive_eof()
        self._handle()

    def connection_lost(self, error: Exception | None) -> None:
        """Note that the connection is closed."""
        self._end(str(error) if error is not None else self._reason)

    def pause_writing(self) -> None:
        """Make senders wait."""
        self._writable = self._loop.create_future()

    def resume_writing(self) -> None:
        """Let senders go on."""
        room, self._writable = self._writable, None
        if room is not None and not room.done():
            room.set_result(None)

    def _handle(self) -> None:
        for event in self._protocol.events_received():
            if self._handshake.done():
                self._on_frame(cast("Frame", event))
            elif self._protocol.handshake_exc is None:
                self._handshake.set_result(None)
            else:
                found = _describe_rejection(self._protocol.handshake_exc, authorized=self._authorized)
                self._handshake.set_exception(LinkError(found))
        problem = self._protocol.handshake_exc or self._protocol.parser_exc
        if problem is not None:
            self._reason = str(problem)
        self._flush()

    def _on_frame(self, frame: Frame) -> None:
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
        if self._protocol.close_expected() and not self._closed.done():
            self._loop.call_later(CLOSE_SECONDS, self.drop, self._reason)

    def _check_keepalive(self) -> None:
        """Ping a connection that is idle; drop one that does not respond."""
        now = self._loop.time()
        if now - self._last_check > 2 * KEEPALIVE_SECONDS:
            self._last_received = now  # This machine was suspended: the silence says nothing about the server.
        self._last_check = now
        quiet = 0.0 if self._paused else now - self._last_received
        if quiet >= 2 * KEEPALIVE_SECONDS:
            self.drop("the server does not respond")
            return
        if quiet >= KEEPALIVE_SECONDS and self._usable:
            self._protocol.send_ping(b"")
            self._flush()
        self._keepalive = self._loop.call_later(KEEPALIVE_SECONDS, self._check_keepalive)

    def _end(self, reason: str) -> None:
        if self._closed.done():
            return
        self._reason = reason
        self._closed.set_result(None)
        if self._keepalive is not None:
            self._keepalive.cancel()
        self.resume_writing()
        if self._handshake.done():
            self._on_lost(reason)
        else:
            self._handshake.set_exception(LinkError(reason))
            self._handshake.exception()  # Mark it as retrieved: perhaps nobody awaits it any more.


async def open_link(
    target: Target, on_message: Callable[[bytes], None], on_lost: Callable[[str], None]
) -> WebSocketLink:
    """Connect to an exec-server.

    :raises LinkError: when that fails or times out.
    """
    # Imported here because only threads with a remote environment need the library.
    from websockets.client import ClientProtocol
    from websockets.uri import parse_uri

    uri = parse_uri(target.url)
    link = WebSocketLink(ClientProtocol(uri, max_size=MAX_MESSAGE), on_message, on_lost)
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
            raise LinkError(_describe_os_error(error)) from error
        raise
    return link


def _tls(target: Target) -> SSLContext:
    import certifi

    from codex_hookspecs.http_policy import tls_context

    try:
        return tls_context(target.environ, bundle=certifi.where())
    except ConfigError as error:
        raise LinkError(str(error)) from error


def _describe_rejection(error: Exception, *, authorized: bool) -> str:
    """Return why a handshake failed; of a server's refusal, with the text that it gives as its reason.

    :param authorized: whether a token was sent.
    """
    response = getattr(error, "response", None)
    refused = getattr(response, "status_code", 0) == UNAUTHORIZED
    body = (getattr(response, "body", None) or b"") if refused else b""
    reason = escape_controls_in_line(body[: 4 * MAX_REASON].decode("utf-8", "replace").strip())
    if len(reason) > MAX_REASON:
        reason = f"{reason[:MAX_REASON]}…"
    told = f"{error}: {reason}" if reason else str(error)
    return f"{told}; {_HINT}" if refused and not authorized else told


def _describe_os_error(error: OSError) -> str:
    """Return the text of a connection error: that of the operating system (without addresses), or of TLS."""
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
    return "none of its addresses accepts connections" if error.errno is None else str(error.strerror)
