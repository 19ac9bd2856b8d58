"""An HTTP/1.1 client connection: httptools parses the responses, an asyncio transport carries the bytes."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

if TYPE_CHECKING:
    from ssl import SSLContext

    from codex_hookspecs.http_policy import Proxy

CONNECT_SECONDS: Final = 30.0
_HEAD_BYTES: Final = 256 * 1024
_BUFFER_BYTES: Final = 1024 * 1024

Headers = Sequence[tuple[str, str]]


class ProtocolError(ConnectionError):
    """Raised when a response is not valid HTTP or is truncated."""


class _Response:
    """The response that is being parsed; its ``on_*`` methods are the parser's callbacks.

    :param tunnel: whether it answers ``CONNECT``; what follows its headers then belongs to the tunnel.
    """

    def __init__(self, *, tunnel: bool = False) -> None:
        self._tunnel = tunnel
        self._parser = HttpResponseParser(self)
        self.status: int | None = None
        self.headers: dict[str, str] = {}
        self.pieces: deque[bytes] = deque()
        self.held = 0
        """Buffered bytes of the body that have not been read yet."""
        self.ended = False
        self.reusable = False
        self.error: ProtocolError | None = None
        self._head_bytes = 0

    def feed(self, data: bytes) -> None:
        """Parse what arrived."""
        if self.error is not None:
            return
        if self.ended:
            self.reusable = False  # data after the end of the response
            return
        if self.status is None:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            if not (self._tunnel and self.ended):
                self.error = ProtocolError(f"the response is not HTTP: {error}")
        if self.status is None and self._head_bytes > _HEAD_BYTES:
            self.error = ProtocolError(f"the headers of the response are longer than {_HEAD_BYTES} bytes")

    def finish(self) -> None:
        """Handle the end of the stream: it ends a body without a length, and is an error anywhere else."""
        if self.ended or self.error is not None:
            return
        lengthless = "content-length" not in self.headers and "transfer-encoding" not in self.headers
        if self.status is not None and lengthless:
            self.ended = True
        else:
            self.error = ProtocolError("the connection was closed in the middle of the response")

    def take(self) -> bytes:
        """Return the next piece of the body."""
        piece = self.pieces.popleft()
        self.held -= len(piece)
        return piece

    def on_message_begin(self) -> None:
        if self.ended:
            self.reusable = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.ended:
            return
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        self.headers[key] = f"{self.headers[key]}, {text}" if key in self.headers else text

    def on_headers_complete(self) -> None:
        if self.ended:
            return
        status = self._parser.get_status_code()
        if 100 <= status < 200:
            self.headers.clear()  # an interim response; the final one follows
            return
        self.status = status
        self.ended = self._tunnel

    def on_body(self, body: bytes) -> None:
        if not self.ended:
            self.pieces.append(body)
            self.held += len(body)

    def on_message_complete(self) -> None:
        if self.status is not None and not self.ended:
            self.ended = True
            self.reusable = self._parser.should_keep_alive()


class Connection(asyncio.Protocol):
    """A keep-alive connection for sequential requests; reading from the socket pauses while the buffer is full."""

    def __init__(self) -> None:
        self._response: _Response | None = None
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self._arrival: asyncio.Future[None] | None = None
        self._closed: asyncio.Future[None] = self._loop.create_future()
        self._lost: BaseException | None = None
        self._paused = False
        self.used = 0
        """Number of requests started on this connection."""
        self.last_used = 0.0
        """Event loop time at which the last response ended."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._response is None:
            self.abort()  # data without a request
            return
        self._response.feed(data)
        if self._response.held > _BUFFER_BYTES and self._transport and not self._paused:
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        if self._response is not None:
            self._response.finish()
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = exc or ConnectionResetError("connection closed")
        if not self._closed.done():
            self._closed.set_result(None)
        self._wake()

    async def request(self, method: str, target: str, headers: Headers, body: bytes) -> None:
        """Send a request; read its response with :meth:`response` and :meth:`read`.

        :raises OSError: when the connection is closed.
        """
        if self._lost or self._transport is None or self._transport.is_closing():
            raise ConnectionResetError("connection closed")
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
        if any(mark in line for line in lines for mark in "\r\n\0"):
            raise ProtocolError("a header contains a line break")
        head = _encode_head("\r\n".join(lines)) + b"\r\n\r\n"
        self.used += 1
        self._response = _Response(tunnel=method == "CONNECT")
        self._transport.writelines((head, body)) if body else self._transport.write(head)

    async def response(self) -> tuple[int, dict[str, str]]:
        """Wait for the status and the headers, names in lower case; the caller sets the timeout.

        :raises OSError: when the connection is lost; :class:`ProtocolError` when the response is not HTTP.
        """
        response = self._current()
        while response.status is None:
            await self._wait_for_data(response)
        return response.status, response.headers

    async def read(self) -> bytes | None:
        """Return the next piece of the body, ``None`` at its end; raises what :meth:`response` raises."""
        response = self._current()
        while not response.pieces:
            if response.ended:
                return None
            await self._wait_for_data(response)
        return response.take()

    def reuse(self) -> bool:
        """Prepare for another request.

        :return: whether that is possible: the last response is complete and the connection still open.
        """
        if self._lost or self._transport is None or self._transport.is_closing() or self._response is None:
            return False
        if not self._response.ended or not self._response.reusable:
            return False
        self._response.pieces.clear()
        self._resume()
        return True

    async def secure(self, context: SSLContext, host: str) -> None:
        """Start TLS on the connection."""
        assert self._transport is not None
        transport = await self._loop.start_tls(
            self._transport, self, context, server_hostname=host, ssl_handshake_timeout=CONNECT_SECONDS
        )
        if transport is None:
            raise ConnectionResetError("connection closed")
        self._transport = transport
        self._response = None

    async def tunnel(self, host: str, port: int, headers: Headers) -> None:
        """Ask a proxy to open a tunnel to a server (``CONNECT``).

        :raises ConnectionRefusedError: when the proxy refuses.
        """
        authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        await self.request("CONNECT", authority, [("host", authority), *headers], b"")
        status, _ = await self.response()
        if not 200 <= status < 300:
            raise ConnectionRefusedError(f"the proxy answered {status} to CONNECT {authority}")
        self.used = 0

    def abort(self) -> None:
        """Close at once, discarding unsent and unread data."""
        if self._transport is not None:
            self._transport.abort()

    async def wait_closed(self) -> None:
        """Wait until the socket is closed after :meth:`abort`."""
        if self._transport is not None:
            await asyncio.wait([self._closed], timeout=1)

    def _current(self) -> _Response:
        if self._response is None:
            raise ConnectionResetError("no request was sent")
        return self._response

    async def _wait_for_data(self, response: _Response) -> None:
        """Wait until more of the response has arrived."""
        if response.error is not None:
            raise response.error
        if self._lost:
            raise self._lost
        self._resume()
        self._arrival = self._loop.create_future()
        try:
            await self._arrival
        finally:
            self._arrival = None

    def _resume(self) -> None:
        if self._paused and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()

    def _wake(self) -> None:
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)


async def connect(host: str, port: int, *, secure: bool, tls: SSLContext | None, proxy: Proxy | None) -> Connection:
    """Open a connection to a server, directly or through a proxy.

    :param secure: whether the server uses TLS.
    :param tls: context for the server or the proxy; ``None`` when neither uses TLS.
    :param proxy: the proxy to go through, or ``None``.
    :raises OSError: when connecting fails or times out.
    """
    connection: Connection | None = None
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            if proxy is None:
                return await _dial(host, port, tls if secure else None)
            connection = await _dial(proxy.host, proxy.port, tls if proxy.secure else None)
            if secure and tls is not None:
                authorization = [("proxy-authorization", proxy.authorization)] if proxy.authorization else []
                await connection.tunnel(host, port, authorization)
                await connection.secure(tls, host)
            return connection
    except BaseException:
        if connection is not None:
            connection.abort()
        raise


async def _dial(host: str, port: int, tls: SSLContext | None) -> Connection:
    # Happy eyeballs is for names with several addresses, not for a literal address.
    delay = None if host[-1:].isdigit() or ":" in host else 0.25
    _, connection = await asyncio.get_running_loop().create_connection(
        Connection, host, port, ssl=tls, happy_eyeballs_delay=delay
    )
    return connection


def _encode_head(text: str) -> bytes:
    """Encode a request line and headers in ISO 8859-1, or in UTF-8 when they hold other characters."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode()
