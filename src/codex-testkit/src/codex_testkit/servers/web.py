"""A web site for tests: a function that answers requests, called directly or through a socket.

async def pages(request):
    return Page(200, body=b"hello") if request.url.endswith("/hello") else Page(404)

async with web_server(pages) as url:
    ...
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final, NamedTuple

from codex_hookspecs.types.http import HttpRequest

LARGEST_REQUEST: Final = 64 * 1024 * 1024
_CLOSE_SECONDS = 5.0


class Page(NamedTuple):
    """A response.

    :param body: bytes, or an iterator of chunks; a ``ConnectionError`` raised by it aborts the connection.
    """

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | AsyncIterator[bytes] = b""


Pages = Callable[[HttpRequest], Awaitable[Page]]
"""Answers a request, whose ``url`` is only the path if it came through a socket."""


@asynccontextmanager
async def web_server(pages: Pages) -> AsyncIterator[str]:
    """Serve a site on a local port and yield its address, without a trailing slash."""
    tasks: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(_serve(pages, reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(connected, "127.0.0.1", 0, limit=1024 * 1024)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_CLOSE_SECONDS)


async def _serve(pages: Pages, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                answering = asyncio.create_task(_answer(pages, await _read(reader), writer))
                # A client sends nothing before it has the response, unless it disconnects.
                gone = asyncio.create_task(reader.read(1))
                try:
                    await asyncio.wait((answering, gone), return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for each in (answering, gone):
                        each.cancel()
                    ended = await asyncio.gather(answering, gone, return_exceptions=True)
                if ended[0] is not None:
                    return
    finally:
        writer.transport.abort()


async def _read(reader: asyncio.StreamReader) -> HttpRequest:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = head[0].split(" ")
    found = [line.partition(":") for line in head[1:] if line]
    headers = tuple((name, value.strip()) for name, _, value in found)
    lengths = [int(value) for name, value in headers if name.lower() == "content-length"]
    body = await reader.readexactly(min(sum(lengths), LARGEST_REQUEST))
    return HttpRequest(url=path, method=method, headers=headers, body=body)


async def _answer(pages: Pages, request: HttpRequest, writer: asyncio.StreamWriter) -> None:
    page = await pages(request)
    body = page.body
    framing = f"Content-Length: {len(body)}" if isinstance(body, bytes) else "Transfer-Encoding: chunked"
    lines = [f"HTTP/1.1 {page.status} Status", framing, *(f"{name}: {value}" for name, value in page.headers), "", ""]
    writer.write("\r\n".join(lines).encode())
    if isinstance(body, bytes):
        writer.write(body)
        await writer.drain()
        return
    try:
        async for piece in body:
            writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            await writer.drain()
        writer.write(b"0\r\n\r\n")
        await writer.drain()
    finally:
        await close_iterator(body)


async def close_iterator(iterator: AsyncIterator[bytes]) -> None:
    """Close an iterator, if it supports that."""
    close = getattr(iterator, "aclose", None)
    if close is not None:
        await close()
