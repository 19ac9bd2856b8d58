"""Contract suite for HTTP clients, to be subclassed.

A subclass defines the fixtures ``http`` and ``web``, the address of a :class:`Site`::

    class TestMyHttp(HttpContract):
        @pytest.fixture
        async def http(self):
            async with my_environment() as environment:
                yield environment.http
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any, ClassVar, Final

import pytest

from codex_hookspecs.errors import HttpError
from codex_hookspecs.ports.http import HttpClient, HttpResponse
from codex_hookspecs.types.http import HttpRequest
from codex_testkit.servers.web import Page, web_server

LIMIT: Final = 30.0
"""Time limit of a wait in seconds."""
STALLED: Final = 0.3
"""Seconds without progress after which a sender counts as blocked."""
BLOCK: Final = bytes(range(256)) * 256
BLOCKS: Final = 640
BODY_DECODE_ERROR: Final = r"^failed to read http/request response body: error decoding response body$"


class Site:
    """Answers the requests of the suite.

    :ivar sent: blocks of the flood that were sent.
    :ivar ended: set when the page that never ends has ended.
    """

    def __init__(self) -> None:
        self.sent = 0
        self.ended = asyncio.Event()
        self._moved = asyncio.Event()

    async def __call__(self, request: HttpRequest) -> Page:
        """Answer a request."""
        path, _, query = request.url.partition("?")
        if path == "/echo":
            headers = [each for each in request.headers if each[0].lower().startswith("x-")]
            told = {"method": request.method, "query": query, "headers": headers, "body": (request.body or b"").hex()}
            return Page(headers=(("X-A", "1"), ("X-B", "b c"), ("X-A", "2")), body=json.dumps(told).encode())
        if path == "/slow":
            await asyncio.sleep(LIMIT)
        if path == "/encoded":
            accepted = {name.lower(): value for name, value in request.headers}.get("accept-encoding", "nothing")
            return Page(headers=(("Content-Encoding", "gzip"),), body=f"as it is, {accepted} accepted".encode())
        if path == "/cookies":
            held = [value for name, value in request.headers if name.lower() == "cookie"]
            return Page(headers=(("Set-Cookie", "a=b; Path=/"),), body=repr(held).encode())
        if path in ("/elsewhere", "/round"):
            return Page(302, (("Location", "/round" if path == "/round" else "/echo?there"),))
        bodies = {"/pieces": self._pieces, "/cut": self._cut, "/stuck": self._stuck, "/flood": self._flood}
        return Page(body=bodies[path]()) if path in bodies else Page(404, body=b"nothing here")

    async def held_up(self) -> int:
        """Wait until the flood is blocked, and return the number of blocks sent."""
        while True:
            self._moved.clear()
            try:
                await asyncio.wait_for(self._moved.wait(), STALLED)
            except TimeoutError:
                return self.sent

    async def _pieces(self) -> AsyncIterator[bytes]:
        for piece in (b"ab", b"cd", b"ef"):
            yield piece

    async def _cut(self) -> AsyncIterator[bytes]:
        yield b"abc"
        raise ConnectionResetError

    async def _stuck(self) -> AsyncIterator[bytes]:
        try:
            yield b"abc"
            await asyncio.sleep(LIMIT)
        finally:
            self.ended.set()

    async def _flood(self) -> AsyncIterator[bytes]:
        for _ in range(BLOCKS):
            yield BLOCK
            self.sent += 1
            self._moved.set()


class HttpContract:
    """Ask, read, give up, fail."""

    pytestmark = pytest.mark.anyio
    nobody: ClassVar[str] = "http://127.0.0.1:1/x"
    """Address that refuses connections."""

    @pytest.fixture
    async def http(self) -> HttpClient:
        """Return the HTTP client to test."""
        pytest.fail("a suite gives what it tests")

    @pytest.fixture
    async def site(self) -> Site:
        """Return the site."""
        return Site()

    @pytest.fixture
    async def web(self, site: Site) -> AsyncIterator[str]:
        """Yield the address of the site."""
        async with web_server(site) as url:
            yield url

    async def ask(self, http: HttpClient, url: str, **request: Any) -> HttpResponse:
        """Make a request."""
        async with asyncio.timeout(LIMIT):
            return await http.send(HttpRequest(url=url, **request))

    async def body(self, http: HttpClient, url: str, **request: Any) -> bytes:
        """Send a request and return the body of the response."""
        response = await self.ask(http, url, **request)
        async with asyncio.timeout(LIMIT):
            return await response.read()

    async def test_a_request_goes_out_as_it_was_given(self, http: HttpClient, web: str) -> None:
        headers = (("X-Q", "1"), ("x-other", "a b"), ("X-Q", "2"))

        told = json.loads(await self.body(http, f"{web}/echo?a=b", method="PUT", headers=headers, body=b"\x00\xff"))

        assert (told["method"], told["query"], told["body"]) == ("PUT", "a=b", "00ff")
        values = [(name.lower(), value) for name, value in told["headers"]]
        assert [value for name, value in values if name == "x-q"] == ["1", "2"]
        assert ("x-other", "a b") in values

    async def test_status_and_headers_come_before_the_body(self, http: HttpClient, web: str) -> None:
        async with aclosing(await self.ask(http, f"{web}/stuck")) as response:
            status = response.status
        found = await self.ask(http, f"{web}/echo")
        await found.aclose()

        assert status == 200
        assert [value for name, value in found.headers if name == "x-a"] == ["1", "2"]
        assert ("x-b", "b c") in found.headers

    async def test_an_error_of_http_is_an_answer(self, http: HttpClient, web: str) -> None:
        response = await self.ask(http, f"{web}/missing", method="POST", body=b"x")

        assert (response.status, await response.read()) == (404, b"nothing here")

    async def test_redirections_are_followed(self, http: HttpClient, web: str) -> None:
        assert json.loads(await self.body(http, f"{web}/elsewhere"))["query"] == "there"

    async def test_a_redirection_can_be_the_answer(self, http: HttpClient, web: str) -> None:
        response = await self.ask(http, f"{web}/elsewhere", redirects="stop")
        await response.aclose()

        assert (response.status, dict(response.headers)["location"]) == (302, "/echo?there")

    async def test_redirections_in_a_circle_end(self, http: HttpClient, web: str) -> None:
        with pytest.raises(HttpError, match=r"^http/request failed: too many redirects$"):
            await self.ask(http, f"{web}/round")

    async def test_a_body_comes_in_pieces(self, http: HttpClient, web: str) -> None:
        async with aclosing(await self.ask(http, f"{web}/pieces")) as response:
            pieces = [piece async for piece in response.chunks()]

        assert b"".join(pieces) == b"abcdef"

    async def test_a_piece_comes_while_others_are_still_to_be_made(self, http: HttpClient, web: str) -> None:
        async with aclosing(await self.ask(http, f"{web}/stuck")) as response, asyncio.timeout(LIMIT):
            assert await anext(response.chunks()) == b"abc"

    async def test_a_large_body_comes_whole(self, http: HttpClient, web: str) -> None:
        found = await self.body(http, f"{web}/flood")

        assert hashlib.sha256(found).digest() == hashlib.sha256(BLOCK * BLOCKS).digest()

    async def test_a_large_body_goes_out_whole(self, http: HttpClient, web: str) -> None:
        body = BLOCK * 100

        told = json.loads(await self.body(http, f"{web}/echo", method="POST", body=body))

        assert bytes.fromhex(told["body"]) == body

    async def test_a_body_comes_as_it_was_encoded(self, http: HttpClient, web: str) -> None:
        assert await self.body(http, f"{web}/encoded") == b"as it is, nothing accepted"

    async def test_a_body_can_be_too_large(self, http: HttpClient, web: str) -> None:
        response = await self.ask(http, f"{web}/pieces")

        with pytest.raises(HttpError, match=r"^http/request response body is larger than 5 bytes$"):
            await response.read(limit=5)

    async def test_a_reader_that_stalls_holds_up_the_sender_and_loses_nothing(
        self, http: HttpClient, site: Site, web: str
    ) -> None:
        async with aclosing(await self.ask(http, f"{web}/flood")) as response, asyncio.timeout(LIMIT):
            pieces = response.chunks()
            found = [await anext(pieces)]
            taken = await site.held_up()
            found += [piece async for piece in pieces]

        assert taken < BLOCKS
        assert b"".join(found) == BLOCK * BLOCKS

    async def test_a_stalled_reader_holds_up_nobody_else(self, http: HttpClient, site: Site, web: str) -> None:
        async with aclosing(await self.ask(http, f"{web}/flood")) as response:
            await anext(response.chunks())
            await site.held_up()

            assert await self.body(http, f"{web}/pieces") == b"abcdef"

    async def test_who_lets_go_ends_the_exchange(self, http: HttpClient, site: Site, web: str) -> None:
        response = await self.ask(http, f"{web}/stuck")
        await anext(response.chunks())

        await response.aclose()
        await response.aclose()

        async with asyncio.timeout(LIMIT):
            await site.ended.wait()

    async def test_a_body_that_breaks_off_is_an_error(self, http: HttpClient, web: str) -> None:
        response = await self.ask(http, f"{web}/cut")

        with pytest.raises(HttpError, match=BODY_DECODE_ERROR):
            await response.read()

    async def test_a_body_that_takes_too_long_is_an_error(self, http: HttpClient, web: str) -> None:
        response = await self.ask(http, f"{web}/stuck", timeout=1.0)

        with pytest.raises(HttpError, match=BODY_DECODE_ERROR):
            await response.read()

    async def test_an_answer_that_takes_too_long_is_an_error(self, http: HttpClient, web: str) -> None:
        with pytest.raises(HttpError) as caught:
            await self.ask(http, f"{web}/slow", timeout=0.2)

        assert str(caught.value) == f"http/request failed: error sending request for url ({web}/slow)"
        assert caught.value.code == -32603

    async def test_an_address_that_takes_no_connections_is_an_error(self, http: HttpClient) -> None:
        with pytest.raises(HttpError) as caught:
            await self.ask(http, self.nobody)

        assert str(caught.value) == f"http/request failed: error sending request for url ({self.nobody})"

    @pytest.mark.parametrize(
        ("request_", "message"),
        [
            ({"method": "G ET"}, "http/request method is invalid: invalid HTTP method"),
            ({"url": "nourl"}, "http/request url is invalid: relative URL without a base"),
            ({"url": "ftp://x/"}, "http/request only supports http and https URLs, got ftp"),
            ({"url": "http://"}, "http/request url is invalid: empty host"),
            ({"headers": (("a b", ""),)}, "http/request header name is invalid: invalid HTTP header name"),
            (
                {"headers": (("ab", "\n"),)},
                "http/request header value is invalid for ab: failed to parse header value",
            ),
        ],
        ids=["method", "address", "scheme", "host", "name", "value"],
    )
    async def test_what_is_no_request_is_refused(
        self, http: HttpClient, request_: dict[str, Any], message: str
    ) -> None:
        with pytest.raises(HttpError) as caught:
            await self.ask(http, **{"url": "http://127.0.0.1:1/", **request_})

        assert (caught.value.code, str(caught.value)) == (-32602, message)

    async def test_cookies_are_not_kept(self, http: HttpClient, web: str) -> None:
        await self.body(http, f"{web}/cookies")

        assert await self.body(http, f"{web}/cookies") == b"[]"

    async def test_many_are_made_at_once(self, http: HttpClient, web: str) -> None:
        found = await asyncio.gather(*(self.body(http, f"{web}/pieces") for _ in range(40)))

        assert found == [b"abcdef"] * 40
