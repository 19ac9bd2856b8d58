"""One HTTP/1.1 connection: httptools parses the answers, an asyncio transport carries the bytes."""

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
    """Raised when an answer is not HTTP or ends too early."""


class _Answer:
    """Collects one answer as the parser comes across its parts.

    :param tunnel: it answers ``CONNECT``, so that nothing behind its head belongs to it.
    """

    def __init__(self, *, tunnel: bool = False) -> None:
        self._tunnel = tunnel
        self._parser = HttpResponseParser(self)
        self.status: int | None = None
        self.headers: dict[str, str] = {}
        self.pieces: deque[bytes] = deque()
        self.held = 0
        """Bytes of the body that nobody has taken yet."""
        self.ended = False
        self.reusable = False
        self.error: ProtocolError | None = None
        self._head_bytes = 0

    def feed(self, data: bytes) -> None:
        """Parse what arrived."""
        if self.error is not None:
            return
        if self.ended:
            self.reusable = False  # the server says more than it was asked for
            return
        if self.status is None:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            if not (self._tunnel and self.ended):
                self.error = ProtocolError(f"the answer is not HTTP: {error}")
        if self.status is None and self._head_bytes > _HEAD_BYTES:
            self.error = ProtocolError(f"the head of the answer is longer than {_HEAD_BYTES} bytes")

    def finish(self) -> None:
        """Take the end of the stream for the end of a body without a length; else it came too early."""
        if self.ended or self.error is not None:
            return
        lengthless = "content-length" not in self.headers and "transfer-encoding" not in self.headers
        if self.status is not None and lengthless:
            self.ended = True
        else:
            self.error = ProtocolError("the connection was closed in the middle of the answer")

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
            self.headers.clear()  # something in between; the answer follows
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
    """A connection that carries one request after the other; reading pauses while nobody takes out what arrived."""

    def __init__(self) -> None:
        self._answer: _Answer | None = None
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self._arrival: asyncio.Future[None] | None = None
        self._closed: asyncio.Future[None] = self._loop.create_future()
        self._lost: BaseException | None = None
        self._paused = False
        self.used = 0
        """Requests that were begun on it."""
        self.last_used = 0.0
        """Time of the loop when the last response ended."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._answer is None:
            self.abort()  # nothing was asked for
            return
        self._answer.feed(data)
        if self._answer.held > _BUFFER_BYTES and self._transport and not self._paused:
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        if self._answer is not None:
            self._answer.finish()
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = exc or ConnectionResetError("connection closed")
        if not self._closed.done():
            self._closed.set_result(None)
        self._wake()

    async def request(self, method: str, target: str, headers: Headers, body: bytes) -> None:
        """Send a request; the answer is read with :meth:`response` and :meth:`read`.

        :raises OSError: when the connection is gone.
        """
        if self._lost or self._transport is None or self._transport.is_closing():
            raise ConnectionResetError("connection closed")
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
        if any(mark in line for line in lines for mark in "\r\n\0"):
            raise ProtocolError("a header has a line end in it")
        head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
        self.used += 1
        self._answer = _Answer(tunnel=method == "CONNECT")
        self._transport.writelines((head, body)) if body else self._transport.write(head)

    async def response(self) -> tuple[int, dict[str, str]]:
        """Wait for the status and the headers, names in lower case; the caller bounds the wait.

        :raises OSError: when the connection broke; :class:`ProtocolError` when the answer is not HTTP.
        """
        answer = self._current()
        while answer.status is None:
            await self._more(answer)
        return answer.status, answer.headers

    async def read(self) -> bytes | None:
        """Return the next piece of the body, ``None`` at its end; otherwise as :meth:`response`."""
        answer = self._current()
        while not answer.pieces:
            if answer.ended:
                return None
            await self._more(answer)
        return answer.take()

    def reuse(self) -> bool:
        """Make ready for another request, if the last answer has arrived completely and the server is still there."""
        if self._lost or self._transport is None or self._transport.is_closing() or self._answer is None:
            return False
        if not self._answer.ended or not self._answer.reusable:
            return False
        self._answer.pieces.clear()
        self._resume()
        return True

    async def secure(self, context: SSLContext, host: str) -> None:
        """Speak TLS from here on."""
        assert self._transport is not None
        transport = await self._loop.start_tls(
            self._transport, self, context, server_hostname=host, ssl_handshake_timeout=CONNECT_SECONDS
        )
        if transport is None:
            raise ConnectionResetError("connection closed")
        self._transport = transport
        self._answer = None

    async def tunnel(self, host: str, port: int, headers: Headers) -> None:
        """Ask a proxy to connect to a server.

        :raises ConnectionRefusedError: when it does not.
        """
        authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        await self.request("CONNECT", authority, [("host", authority), *headers], b"")
        status, _ = await self.response()
        if not 200 <= status < 300:
            raise ConnectionRefusedError(f"the proxy answered {status} to CONNECT {authority}")
        self.used = 0

    def abort(self) -> None:
        """Close at once, whatever is under way."""
        if self._transport is not None:
            self._transport.abort()

    async def wait_closed(self) -> None:
        """Wait until the socket is closed after :meth:`abort`."""
        if self._transport is not None:
            await asyncio.wait([self._closed], timeout=1)

    def _current(self) -> _Answer:
        if self._answer is None:
            raise ConnectionResetError("nothing was asked for")
        return self._answer

    async def _more(self, answer: _Answer) -> None:
        """Wait until more of the answer is there."""
        if answer.error is not None:
            raise answer.error
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
    """Open a connection.

    :param secure: the server speaks TLS.
    :param tls: context for the server and a proxy that speaks TLS; ``None`` when neither does.
    :param proxy: the proxy in between, or ``None``.
    :raises OSError: when that fails or takes too long.
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
    # a race between addresses makes no sense for a host that is one
    race = None if host[-1:].isdigit() or ":" in host else 0.25
    _, connection = await asyncio.get_running_loop().create_connection(
        Connection, host, port, ssl=tls, happy_eyeballs_delay=race
    )
    return connection
