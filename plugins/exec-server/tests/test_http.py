"""HTTP requests made from the machine, by what its environment has for them."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import Any

import pytest

from codex_hookspecs.errors import RpcError
from codex_testkit.suites.http import Site

pytestmark = pytest.mark.anyio
WEB = "http://example.test"


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def serve(serve: Any, site: Site) -> Any:
    async def with_site() -> Any:
        return await serve(sites={WEB: site})

    return with_site


async def ask(client, url: str, **params: Any) -> Any:
    return await client.request("http/request", {"method": "GET", "url": url, "requestId": "r", **params})


def body(result) -> bytes:
    return b64decode(result["bodyBase64"])


async def test_a_request_is_answered_with_status_headers_and_body(serve) -> None:
    async with (await serve()).client() as client:
        headers = [{"name": "X-Q", "value": "1"}, {"name": "X-Q", "value": "2"}]
        text = b64encode(b"text").decode()

        found = await ask(client, f"{WEB}/echo", method="POST", headers=headers, bodyBase64=text)

        told = json.loads(body(found))
        assert found["status"] == 200
        assert (told["method"], bytes.fromhex(told["body"])) == ("POST", b"text")
        assert told["headers"] == [["X-Q", "1"], ["X-Q", "2"]]
        assert [each["value"] for each in found["headers"] if each["name"] == "x-a"] == ["1", "2"]


async def test_an_http_error_is_a_result(serve) -> None:
    async with (await serve()).client() as client:
        assert (await ask(client, f"{WEB}/missing"))["status"] == 404


async def test_redirects_are_followed_unless_told_otherwise(serve) -> None:
    async with (await serve()).client() as client:
        assert json.loads(body(await ask(client, f"{WEB}/elsewhere")))["query"] == "there"
        assert (await ask(client, f"{WEB}/elsewhere", redirectPolicy="stop"))["status"] == 302


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


async def test_a_request_that_fails_or_takes_too_long_is_an_error(serve) -> None:
    async with (await serve()).client() as client:
        for url, params in (("http://127.0.0.1:1/", {}), (f"{WEB}/slow", {"timeoutMs": 50})):
            with pytest.raises(RpcError) as caught:
                await ask(client, url, **params)

            assert caught.value.code == -32603
            assert caught.value.message == f"http/request failed: error sending request for url ({url})"


async def test_a_body_can_follow_piece_by_piece(serve) -> None:
    async with (await serve()).client() as client:
        found = await ask(client, f"{WEB}/pieces", streamResponse=True)
        told = [(await client.event(lambda _: True))["params"]]
        while not told[-1]["done"]:
            told.append((await client.event(lambda _: True))["params"])

        assert found["bodyBase64"] == ""
        assert b"".join(b64decode(each["deltaBase64"]) for each in told) == b"abcdef"
        assert [each["seq"] for each in told] == list(range(1, len(told) + 1))
        assert told[-1] == {"requestId": "r", "seq": len(told), "deltaBase64": "", "done": True, "error": None}


async def test_a_body_that_breaks_off_ends_with_an_error(serve) -> None:
    async with (await serve()).client() as client:
        await ask(client, f"{WEB}/cut", streamResponse=True)
        last = await client.event(lambda told: told["params"]["done"])

        assert last["params"]["error"] == "error decoding response body"
        with pytest.raises(RpcError, match="failed to read http/request response body"):
            await ask(client, f"{WEB}/cut")
