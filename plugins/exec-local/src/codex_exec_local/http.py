"""Make HTTP requests from this machine."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy

import certifi
import httpx

from codex_hookspecs.environments import (
    MAX_BODY_BYTES,
    MAX_REDIRECTS,
    HttpRequest,
    body_failed,
    check_request,
    read_body,
    request_failed,
    too_many_redirects,
)
from codex_hookspecs.errors import ConfigError, HttpError
from codex_hookspecs.http_policy import Proxy, proxy_for, tls_context

_FAULTS = (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError)


class LocalHttp:
    """Makes requests, each on a new connection.

    A kept-alive connection may be closed by the server just when it is reused; the request would fail then, and the
    caller could not know whether it may be repeated.

    :param environ: variables that name proxies and certificate authorities.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._client = httpx.AsyncClient(
            timeout=None,  # noqa: S113  each request has a time limit of its own
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            max_redirects=MAX_REDIRECTS,
            transport=_RoutingTransport(environ),
            trust_env=False,
        )
        self._open: set[LocalResponse] = set()
        for name in ("accept-encoding", "user-agent", "connection"):
            del self._client.headers[name]

    async def send(self, request: HttpRequest) -> LocalResponse:
        """Send a request and return when the headers of the response have arrived.

        :raises HttpError: when it can't be sent, or there is no response in time.
        """
        check_request(request)
        if self._client.is_closed:
            raise HttpError("the environment is closed")
        deadline = None if request.timeout is None else asyncio.get_running_loop().time() + request.timeout
        try:
            wanted = self._client.build_request(
                request.method, request.url, headers=[*_encode_headers(request)], content=request.body
            )
            async with asyncio.timeout_at(deadline):
                answer = await self._client.send(wanted, stream=True, follow_redirects=request.redirects == "follow")
        except httpx.TooManyRedirects as error:
            raise too_many_redirects() from error
        except ConfigError as error:
            raise HttpError(f"http/request failed: {error}") from error
        except (*_FAULTS, TimeoutError) as error:
            raise request_failed(request.url) from error
        response = LocalResponse(answer, deadline, self._open)
        self._open.add(response)
        return response

    async def aclose(self) -> None:
        """Abort all requests."""
        await asyncio.gather(*(response.aclose() for response in list(self._open)))
        await self._client.aclose()


class LocalResponse:
    """A response whose body has not been read yet.

    :param deadline: time of the loop's clock by which the body must have arrived.
    :param open_responses: the set of open responses; this one is removed from it when it is closed.
    """

    def __init__(self, answer: httpx.Response, deadline: float | None, open_responses: set[LocalResponse]) -> None:
        self._answer = answer
        self._deadline = deadline
        self._open_responses = open_responses

    @property
    def status(self) -> int:
        """Status code."""
        return self._answer.status_code

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """Names and values of the headers, in the order received."""
        found = self._answer.headers.raw
        return tuple((name.decode("latin-1").lower(), value.decode("utf-8", "replace")) for name, value in found)

    async def chunks(self) -> AsyncIterator[bytes]:
        """Iterate over the body, once."""
        if self._answer.is_stream_consumed:
            raise HttpError("the body was read already")
        pieces = self._answer.aiter_raw()
        try:
            while True:
                async with asyncio.timeout_at(self._deadline):
                    piece = await anext(pieces, None)
                if piece is None:
                    return
                yield piece
        except (*_FAULTS, TimeoutError, httpx.StreamError) as error:
            raise body_failed() from error
        finally:
            await self.aclose()

    async def read(self, limit: int = MAX_BODY_BYTES) -> bytes:
        """Return the whole body and close the response."""
        try:
            return await read_body(self.chunks(), limit)
        finally:
            await self.aclose()

    async def aclose(self) -> None:
        """Close the response."""
        self._open_responses.discard(self)
        await self._answer.aclose()


class _RoutingTransport(httpx.AsyncBaseTransport):
    """Sends each request directly or through a proxy, as the environment variables say."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._transports: dict[tuple[str, Proxy | None], httpx.AsyncHTTPTransport] = {}
        self._tls: ssl.SSLContext | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request.

        :raises ConfigError: when a variable has an invalid value.
        """
        url = request.url
        host = url.raw_host.decode("ascii").strip("[]")
        proxy = proxy_for(url.scheme, host, url.port or (443 if url.scheme == "https" else 80), self._environ)
        transport = self._transports.get((url.scheme, proxy))
        if transport is None:
            transport = self._transports[url.scheme, proxy] = self._open_transport(url.scheme, proxy)
        return await transport.handle_async_request(request)

    async def aclose(self) -> None:
        """Close all connections."""
        for transport in self._transports.values():
            await transport.aclose()

    def _open_transport(self, scheme: str, proxy: Proxy | None) -> httpx.AsyncHTTPTransport:
        # Loading the CA certificates takes longer than most requests, so an http request gets an empty context.
        verify = self._tls_context() if scheme == "https" else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        through = None
        if proxy is not None:
            host = f"[{proxy.host}]" if ":" in proxy.host else proxy.host
            through = httpx.Proxy(
                f"{'https' if proxy.secure else 'http'}://{host}:{proxy.port}",
                headers={} if proxy.authorization is None else {"Proxy-Authorization": proxy.authorization},
                ssl_context=self._tls_context() if proxy.secure else None,
            )
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        return httpx.AsyncHTTPTransport(verify=verify, trust_env=False, limits=limits, proxy=through)

    def _tls_context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = tls_context(self._environ, bundle=certifi.where())
        return self._tls


def _encode_headers(request: HttpRequest) -> list[tuple[bytes, bytes]]:
    return [(name.encode("ascii"), value.encode("utf-8")) for name, value in request.headers]
