"""An in-memory HTTP client: requests are answered by sites without sockets.

async def pages(request):
    return Page(body=b"hello")

machine = MemoryEnvironment(sites={"http://example.test": pages})
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from urllib.parse import urljoin, urlsplit

import attrs

from codex_hookspecs.environments.http_limits import (
    MAX_BODY_BYTES,
    MAX_REDIRECTS,
    body_failed,
    check_request,
    read_body,
    request_failed,
    too_many_redirects,
)
from codex_hookspecs.errors import HttpError
from codex_hookspecs.types.http import HttpRequest
from codex_testkit.servers.web import Page, Pages, close_iterator

_REDIRECTIONS = (301, 302, 303, 307, 308)


class MemoryHttp:
    """Sends requests to sites; connections to other hosts are refused.

    :ivar sent: all requests, with absolute URLs.
    """

    def __init__(self, sites: Mapping[str, Pages]) -> None:
        self.sites = dict(sites)
        self.sent: list[HttpRequest] = []

    async def send(self, request: HttpRequest) -> MemoryResponse:
        """Send a request.

        :raises HttpError: when it can't be sent, or times out.
        """
        check_request(request)
        deadline = None if request.timeout is None else asyncio.get_running_loop().time() + request.timeout
        wanted = request
        for _ in range(1 + MAX_REDIRECTS):
            self.sent.append(wanted)
            page = await self._page(wanted, request, deadline)
            where = dict(page.headers).get("Location")
            if request.redirects == "stop" or page.status not in _REDIRECTIONS or where is None:
                return MemoryResponse(page, deadline)
            wanted = attrs.evolve(wanted, url=urljoin(wanted.url, where))
            if page.status == 303 or (page.status in (301, 302) and wanted.method == "POST"):
                wanted = attrs.evolve(wanted, method="GET", body=None)
        raise too_many_redirects()

    async def _page(self, wanted: HttpRequest, first: HttpRequest, deadline: float | None) -> Page:
        url = urlsplit(wanted.url)
        pages = self.sites.get(f"{url.scheme}://{url.netloc}")
        if pages is None:
            raise request_failed(first.url)
        path = (url.path or "/") + (f"?{url.query}" if url.query else "")
        try:
            async with asyncio.timeout_at(deadline):
                return await pages(attrs.evolve(wanted, url=path, body=wanted.body or b""))
        except (OSError, TimeoutError) as error:
            raise request_failed(first.url) from error


class MemoryResponse:
    """A response with a body to be read."""

    def __init__(self, page: Page, deadline: float | None) -> None:
        self.status = page.status
        self.headers = tuple((name.lower(), value) for name, value in page.headers)
        self._body = page.body
        self._deadline = deadline
        self._begun = False

    async def chunks(self) -> AsyncIterator[bytes]:
        """Iterate the body once."""
        if self._begun:
            raise HttpError("the body was read already")
        self._begun = True
        if isinstance(self._body, bytes):
            if self._body:
                yield self._body
            return
        try:
            while True:
                async with asyncio.timeout_at(self._deadline):
                    piece = await anext(self._body, None)
                if piece is None:
                    return
                yield piece
        except (OSError, TimeoutError) as error:
            raise body_failed() from error
        finally:
            await self.aclose()

    async def read(self, limit: int = MAX_BODY_BYTES) -> bytes:
        """Read the whole body and close the response."""
        try:
            return await read_body(self.chunks(), limit)
        finally:
            await self.aclose()

    async def aclose(self) -> None:
        """Close the response."""
        if not isinstance(self._body, bytes):
            await close_iterator(self._body)
