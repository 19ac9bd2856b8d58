"""One HTTP/1.1 connection: h11 for the protocol, an asyncio transport for the bytes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import h11

if TYPE_CHECKING:
    from ssl import SSLContext

    from codex_model_responses.proxies import Proxy

CONNECT_SECONDS: Final = 30.0
_HEAD_BYTES: Final = 256 * 1024
_BUFFER_BYTES: Final = 1024 * 1024

Headers = Sequence[tuple[str, str]]


class Connection(asyncio.Protocol):
    """A connection that carries one request after the other.

    Bytes are handed to the parser as they arrive; reading pauses while nobody takes them out.
    """

    def __init__(self) -> None:
        self._http = _parser()
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self._arrival: asyncio.Future[None] | None = None
        self._closed: asyncio.Future[None] = self._loop.create_future()
        self._lost: BaseException | None = None
        self._held = 0
        self._paused = False
        self.used = 0
        """Requests that were begun on it."""
        self.last_used = 0.0
        """Time of the loop when the last response ended."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._http.receive_data(data)
        self._held += len(data)
        if self._held > _BUFFER_BYTES and self._transport and not self._paused:
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        self._http.receive_data(b"")
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
        self.used += 1
        fields = [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers]
        pieces = [self._http.send(h11.Request(method=method, target=target, headers=fields))]
        if body:
            pieces.append(self._http.send(h11.Data(data=body)))
        pieces.append(self._http.send(h11.EndOfMessage()))
        self._transport.write(b"".join(piece for piece in pieces if piece))

    async def response(self) -> tuple[int, dict[str, str]]:
        """Wait for the status and the headers, names in lower case; the caller bounds the wait.

        :raises OSError: when the connection broke.
        :raises h11.RemoteProtocolError: when the answer is not HTTP or ended too early.
        """
        while True:
            event = await self._event()
            if isinstance(event, h11.Response):
                return event.status_code, {name.decode(): value.decode("latin-1") for name, value in event.headers}
            if isinstance(event, h11.ConnectionClosed):
                raise ConnectionResetError("connection closed")

    async def read(self) -> bytes | None:
        """Return the next piece of the body, ``None`` at its end; otherwise as :meth:`response`."""
        while True:
            event = await self._event()
            if isinstance(event, h11.Data):
                return bytes(event.data)
            if isinstance(event, (h11.EndOfMessage, h11.ConnectionClosed)):
                return None

    def reuse(self) -> bool:
        """Make ready for another request, if the last answer has arrived completely and the server is still there."""
        if self._lost or self._transport is None or self._transport.is_closing():
            return False
        try:
            while self._http.their_state is h11.SEND_BODY:
                if self._http.next_event() is h11.NEED_DATA:
                    return False
            if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
                return False
            self._http.start_next_cycle()
        except h11.ProtocolError:
            return False
        self._release()
        return self._http.trailing_data == (b"", False)

    async def secure(self, context: SSLContext, host: str) -> None:
        """Speak TLS from here on."""
        assert self._transport is not None
        transport = await self._loop.start_tls(
            self._transport, self, context, server_hostname=host, ssl_handshake_timeout=CONNECT_SECONDS
        )
        if transport is None:
            raise ConnectionResetError("connection closed")
        self._transport = transport
        self._http = _parser()

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

    async def _event(self) -> Any:
        while True:
            event = self._http.next_event()
            if event is not h11.NEED_DATA:
                return event
            if self._lost:
                raise self._lost
            self._release()
            self._arrival = self._loop.create_future()
            try:
                await self._arrival
            finally:
                self._arrival = None

    def _release(self) -> None:
        self._held = 0
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


def _parser() -> h11.Connection:
    return h11.Connection(h11.CLIENT, max_incomplete_event_size=_HEAD_BYTES)
