"""HTTP requests made from the machine."""

from __future__ import annotations

import threading
from base64 import b64decode, b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from codex_hookspecs.errors import RpcError

pytestmark = pytest.mark.anyio


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/chunks":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for text in (b"ab", b"cd"):
                self.wfile.write(b"2\r\n" + text + b"\r\n")
            self.wfile.write(b"0\r\n\r\n")
            return
        if self.path == "/slow":
            self.server.stop.wait(20)
        if self.path == "/elsewhere":
            self.send_response(302)
            self.send_header("Location", "/there")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = f"{self.command} {self.path} {self.headers.get_all('x-q')} ".encode()
        body += self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.path == "/cut":
            self.send_response(200)
            self.send_header("Content-Length", "100")
            self.end_headers()
            self.wfile.write(b"abc")
            self.close_connection = True
            return
        self.send_response(404 if self.path == "/missing" else 200)
        self.send_header("X-A", "1")
        self.send_header("X-A", "2")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def web() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.stop = threading.Event()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.stop.set()
    server.shutdown()
    thread.join()
    server.server_close()


async def ask(client, url: str, **params):
    return await client.request("http/request", {"method": "GET", "url": url, "requestId": "r", **params})


def body(result) -> bytes:
    return b64decode(result["bodyBase64"])


async def test_a_request_is_answered_with_status_headers_and_body(serve, web: str) -> None:
    async with (await serve()).client() as client:
        headers = [{"name": "X-Q", "value": "1"}, {"name": "X-Q", "value": "2"}]
        text = b64encode(b"text").decode()

        found = await ask(client, f"{web}/a", method="POST", headers=headers, bodyBase64=text)

        assert found["status"] == 200
        assert body(found) == b"POST /a ['1', '2'] text"
        assert [each["value"] for each in found["headers"] if each["name"] == "x-a"] == ["1", "2"]


async def test_an_http_error_is_a_result(serve, web: str) -> None:
    async with (await serve()).client() as client:
        assert (await ask(client, f"{web}/missing"))["status"] == 404


async def test_redirects_are_followed_unless_told_otherwise(serve, web: str) -> None:
    async with (await serve()).client() as client:
        assert body(await ask(client, f"{web}/elsewhere")).startswith(b"GET /there")
        assert (await ask(client, f"{web}/elsewhere", redirectPolicy="stop"))["status"] == 302


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"method": "G ET"}, "http/request method is invalid: invalid HTTP method"),
        ({"url": "nourl"}, "http/request url is invalid: relative URL without a base"),
        ({"url": "ftp://x/"}, "http/request only supports http and https URLs, got ftp"),
        ({"url": "http://"}, "http/request url is invalid: empty host"),
        ({"headers": [{"name": "a b", "value": ""}]}, "http/request header name is invalid: invalid HTTP header name"),
        (
            {"headers": [{"name": "ab", "value": "\n"}]},
            "http/request header value is invalid for ab: failed to parse header value",
        ),
        ({"bodyBase64": "!"}, "Invalid symbol 33, offset 0."),
        ({"redirectPolicy": "x"}, "unknown variant `x`, expected `follow` or `stop`"),
    ],
)
async def test_what_is_no_request_is_refused(serve, params: dict, message: str) -> None:
    async with (await serve()).client() as client:
        with pytest.raises(RpcError) as caught:
            await ask(client, **{"url": "http://127.0.0.1:1/", **params})

        assert (caught.value.code, caught.value.message) == (-32602, message)


async def test_a_request_that_fails_or_takes_too_long_is_an_error(serve, web: str) -> None:
    async with (await serve()).client() as client:
        for url, params in (("http://127.0.0.1:1/", {}), (f"{web}/slow", {"timeoutMs": 50})):
            with pytest.raises(RpcError) as caught:
                await ask(client, url, **params)

            assert caught.value.code == -32603
            assert caught.value.message == f"http/request failed: error sending request for url ({url})"


async def test_a_body_can_follow_piece_by_piece(serve, web: str) -> None:
    async with (await serve()).client() as client:
        found = await ask(client, f"{web}/chunks", streamResponse=True)
        told = [(await client.event(lambda _: True))["params"]]
        while not told[-1]["done"]:
            told.append((await client.event(lambda _: True))["params"])

        assert found["bodyBase64"] == ""
        assert b"".join(b64decode(each["deltaBase64"]) for each in told) == b"abcd"
        assert [each["seq"] for each in told] == list(range(1, len(told) + 1))
        assert told[-1] == {"requestId": "r", "seq": len(told), "deltaBase64": "", "done": True, "error": None}


async def test_a_body_that_breaks_off_ends_with_an_error(serve, web: str) -> None:
    async with (await serve()).client() as client:
        await ask(client, f"{web}/cut", streamResponse=True)
        last = await client.event(lambda told: told["params"]["done"])

        assert last["params"]["error"] == "error decoding response body"
        with pytest.raises(RpcError, match="failed to read http/request response body"):
            await ask(client, f"{web}/cut")
