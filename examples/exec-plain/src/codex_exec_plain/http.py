"""HTTP requests from this machine, with httpx."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx

from codex_hookspecs.environments import (
    MAX_BODY_BYTES,
    MAX_REDIRECTS,
    HttpError,
    HttpRequest,
    body_failed,
    check_request,
    read_body,
    request_failed,
    too_many_redirects,
)

FAULTS = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, TimeoutError, UnicodeError)


class Http:
    """Uses one client per request, so that no cookies are kept and a slow request does not delay others."""

    async def send(self, request: HttpRequest) -> Response:
        check_request(request)
        deadline = None if request.timeout is None else asyncio.get_running_loop().time() + request.timeout
        client = httpx.AsyncClient(timeout=None, max_redirects=MAX_REDIRECTS)
        for name in ("accept-encoding", "user-agent"):
            del client.headers[name]
        headers = [(name.encode(), value.encode()) for name, value in request.headers]
        try:
            wanted = client.build_request(request.method, request.url, headers=headers, content=request.body)
            async with asyncio.timeout_at(deadline):
                answer = await client.send(wanted, stream=True, follow_redirects=request.redirects == "follow")
        except httpx.TooManyRedirects as error:
            await client.aclose()
            raise too_many_redirects() from error
        except FAULTS as error:
            await client.aclose()
            raise request_failed(request.url) from error
        except BaseException:
            await client.aclose()
            raise
        return Response(client, answer, deadline)


class Response:
    """An answer; its body is still to come."""

    def __init__(self, client: httpx.AsyncClient, answer: httpx.Response, deadline: float | None) -> None:
        self._client = client
        self._answer = answer
        self._deadline = deadline
        self.status = answer.status_code
        self.headers = tuple((name.lower(), value) for name, value in answer.headers.multi_items())

    async def chunks(self) -> AsyncIterator[bytes]:
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
        except FAULTS as error:
            raise body_failed() from error
        finally:
            await self.aclose()

    async def read(self, limit: int = MAX_BODY_BYTES) -> bytes:
        try:
            return await read_body(self.chunks(), limit)
        finally:
            await self.aclose()

    async def aclose(self) -> None:
        await self._answer.aclose()
        await self._client.aclose()
