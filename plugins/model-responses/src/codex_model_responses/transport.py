"""Send model requests over HTTP and read the events that stream back."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

from codex_hookspecs.errors import ConfigError, ModelError
from codex_hookspecs.json_text import parse_json
from codex_model_responses.connection import Connection, connect
from codex_model_responses.sse import EventTooLong, SseParser
from codex_responses.failures import RequestFailed, disconnected, from_status, unreachable, untrusted

if TYPE_CHECKING:
    from ssl import SSLContext

    from codex_hookspecs.http_policy import Proxy
    from codex_model_responses.connection import Headers
    from codex_model_responses.settings import ProviderSettings

_ERROR_BYTES: Final = 1024 * 1024
_KEEP_SECONDS: Final = 90.0
_PORTS: Final = {"http": 80, "https": 443}


class HttpTransport:
    """Posts requests to ``{base_url}/responses`` and keeps the connection for the next one."""

    def __init__(self, settings: ProviderSettings, environ: Mapping[str, str]) -> None:
        self.url = f"{settings.base_url}/responses"
        parts = urlsplit(self.url)
        self._host = parts.hostname or ""
        self._port = parts.port or _PORTS[parts.scheme]
        self._secure = parts.scheme == "https"
        self._idle_seconds = settings.idle_seconds
        self._environ = environ
        query = "&".join(f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in settings.query)
        path = quote(parts.path, safe="/%:@!$&'()*+,;=~")
        self._target = f"{path}?{query}" if query else path
        self._authority = parts.netloc
        self._tls: SSLContext | None = None
        self._idle: list[Connection] = []
        self._open: set[Connection] = set()
        self._proxy = _proxy_for(parts.scheme, self._host, self._port, environ)

    async def post(self, headers: Headers, body: bytes) -> EventStream:
        """Send a request and wait for the headers of its response.

        :return: the event stream of a 2xx response; the caller closes it.
        :raises RequestFailed: for any other status, and when no response arrives.
        """
        while True:
            connection = await self._connection()
            fresh = connection.used == 0
            try:
                await self._send(connection, headers, body)
                async with asyncio.timeout(self._idle_seconds):
                    status, found = await connection.response()
                if 200 <= status < 300:
                    return EventStream(self, connection, found, self._idle_seconds)
                raise from_status(status, found, await self._error_body(connection), self.url)
            except TimeoutError as error:
                self._drop(connection)
                raise disconnected("idle timeout waiting for SSE") from error
            except OSError as error:
                self._drop(connection)
                if fresh:
                    raise unreachable(self.url, str(error)) from error
            except BaseException:
                self._drop(connection)
                raise

    def release(self, connection: Connection) -> None:
        """Keep a connection for reuse after its response was read to the end."""
        self._open.discard(connection)
        connection.last_used = asyncio.get_running_loop().time()
        self._idle.append(connection)

    def drop(self, connection: Connection) -> None:
        """Close a connection whose response was not read to the end."""
        self._drop(connection)

    async def aclose(self) -> None:
        """Close all connections."""
        connections = [*self._idle, *self._open]
        self._idle.clear()
        self._open.clear()
        for connection in connections:
            connection.abort()
        for connection in connections:
            await connection.wait_closed()

    async def _connection(self) -> Connection:
        now = asyncio.get_running_loop().time()
        while self._idle:
            connection = self._idle.pop()
            if now - connection.last_used < _KEEP_SECONDS and connection.reuse():
                self._open.add(connection)
                return connection
            connection.abort()
        proxy = self._proxy
        if self._tls is None and (self._secure or (proxy and proxy.secure)):
            self._tls = _tls_context(self._environ)
        try:
            connection = await connect(self._host, self._port, secure=self._secure, tls=self._tls, proxy=proxy)
        except OSError as error:
            if type(error).__name__ == "SSLCertVerificationError":
                raise untrusted(self.url, str(getattr(error, "verify_message", error))) from error
            raise unreachable(self.url, str(error) or "timed out") from error
        self._open.add(connection)
        return connection

    async def _send(self, connection: Connection, headers: Headers, body: bytes) -> None:
        target = self._target
        extra = [("content-length", str(len(body)))]
        if self._proxy is not None and not self._secure:
            target = f"http://{self._authority}{target}"
            if self._proxy.authorization:
                extra.append(("proxy-authorization", self._proxy.authorization))
        host = [header for header in headers if header[0] == "host"] or [("host", self._authority)]
        others = [header for header in headers if header[0] != "host"]
        await connection.request("POST", target, [*host, *others, *extra], body)

    async def _error_body(self, connection: Connection) -> bytes:
        pieces: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self._idle_seconds):
                while size < _ERROR_BYTES and (piece := await connection.read()) is not None:
                    pieces.append(piece)
                    size += len(piece)
        except OSError:
            self._drop(connection)
        else:
            self.release(connection)
        return b"".join(pieces)[:_ERROR_BYTES]

    def _drop(self, connection: Connection) -> None:
        if connection in self._open:
            self._open.discard(connection)
            connection.abort()


class EventStream:
    """The server-sent events of one response.

    :param headers: of the response, names in lower case.
    """

    def __init__(
        self, transport: HttpTransport, connection: Connection, headers: Mapping[str, str], idle_seconds: float
    ) -> None:
        self.headers = headers
        self._transport = transport
        self._connection = connection
        self._idle_seconds = idle_seconds
        self._parser = SseParser()

    async def read(self) -> list[dict[str, Any]]:
        """Wait for the next events; data that is not a JSON object is skipped.

        :raises RequestFailed: when the response ends, the connection is lost, or the idle timeout passes.
        """
        try:
            async with asyncio.timeout(self._idle_seconds):
                while (piece := await self._connection.read()) is not None:
                    if found := self._parser.feed(piece):
                        return [event for data in found if (event := _decode_event(data)) is not None]
        except TimeoutError as error:
            raise disconnected("idle timeout waiting for SSE") from error
        except OSError as error:
            cause = str(error)
            raise disconnected("Transport error: network error: error decoding response body", details=cause) from error
        except EventTooLong as error:
            raise RequestFailed(f"stream disconnected before completion: {error}") from error
        raise disconnected("stream closed before response.completed")

    def close(self, *, complete: bool) -> None:
        """Release the connection: keep it for reuse if the response is complete, else close it at once."""
        if complete:
            self._transport.release(self._connection)
        else:
            self._transport.drop(self._connection)


def _proxy_for(scheme: str, host: str, port: int, environ: Mapping[str, str]) -> Proxy | None:
    if not any(name.lower().endswith("_proxy") for name in environ):
        return None
    from codex_hookspecs.http_policy import proxy_for  # most machines have no proxy

    try:
        return proxy_for(scheme, host, port, environ)
    except ConfigError as error:
        raise ModelError(str(error)) from error


def _tls_context(environ: Mapping[str, str]) -> SSLContext:
    import certifi  # not needed for plain http

    from codex_hookspecs.http_policy import tls_context

    try:
        return tls_context(environ, bundle=certifi.where())
    except ConfigError as error:
        raise ModelError(str(error)) from error


def _decode_event(data: bytes) -> dict[str, Any] | None:
    try:
        event = parse_json(data.decode("utf-8", "replace"))
    except ValueError:
        return None
    return event if isinstance(event, dict) else None
