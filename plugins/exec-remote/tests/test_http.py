"""HTTP requests through servers and connections that fail: made once, told in order, one clear end."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

import pytest

from codex_exec_remote import http
from codex_exec_remote.environment import RemoteEnvironment
from codex_hookspecs.environments import HttpRequest
from codex_hookspecs.errors import HttpError
from codex_testkit.servers.exec_server_0169 import LIMIT, FakeExecServer, cut, fake_exec_server, refuse, silence

pytestmark = pytest.mark.anyio
LOST = "the connection to the exec-server was lost"
BODY = "failed to read http/request response body: "
GET = HttpRequest(url="http://h/")


@pytest.fixture
async def fake() -> AsyncIterator[FakeExecServer]:
    async with fake_exec_server() as running:
        running.behaviour["http/request"] = lambda _asked: {"status": 200, "headers": [], "bodyBase64": ""}
        yield running


@pytest.fixture
async def remote(fake: FakeExecServer, connected: Callable[..., Any]) -> RemoteEnvironment:
    return await connected(fake.url)


async def tell(fake: FakeExecServer, number: Any, text: str, **members: Any) -> None:
    told = {"requestId": fake.asked("http/request")[-1]["requestId"], "seq": number, "done": False, "error": None}
    delta = b64encode(text.encode()).decode()
    await fake.tell("http/request/bodyDelta", {**told, "deltaBase64": delta, **members})


async def test_a_request_is_asked_for_in_the_protocol_s_words(fake: FakeExecServer, remote: RemoteEnvironment) -> None:
    wanted = HttpRequest(url="http://h/", method="PUT", headers=(("A", "1"),), body=b"x", timeout=1.5, redirects="stop")

    await (await remote.http.send(wanted)).aclose()

    [asked] = fake.asked("http/request")
    assert asked.pop("requestId")
    assert asked == {
        "method": "PUT",
        "url": "http://h/",
        "headers": [{"name": "A", "value": "1"}],
        "bodyBase64": "eA==",
        "timeoutMs": 1500,
        "redirectPolicy": "stop",
        "streamResponse": True,
    }


async def test_pieces_come_in_order_and_once_whatever_the_wire_does(
    fake: FakeExecServer, remote: RemoteEnvironment
) -> None:
    response = await remote.http.send(GET)
    for seq, text in ((3, "c"), (1, "a"), (1, "a"), (2, "b"), (3, "c")):
        await tell(fake, seq, text)
    await tell(fake, 4, "", done=True)

    async with asyncio.timeout(LIMIT):
        assert await response.read() == b"abc"


async def test_a_lost_connection_ends_the_body_and_nothing_is_asked_twice(
    fake: FakeExecServer, remote: RemoteEnvironment
) -> None:
    response = await remote.http.send(GET)
    await tell(fake, 1, "a")
    pieces = response.chunks()
    first = await anext(pieces)
    fake.cut()

    with pytest.raises(HttpError) as caught:
        await anext(pieces)

    assert (first, str(caught.value)) == (b"a", f"{BODY}{LOST}")
    assert len(fake.asked("http/request")) == 1


async def test_a_request_whose_connection_is_lost_is_not_made_again(
    fake: FakeExecServer, remote: RemoteEnvironment
) -> None:
    fake.behaviour["http/request"] = cut

    with pytest.raises(HttpError, match=f"^{LOST}$"):
        await remote.http.send(GET)

    assert len(fake.asked("http/request")) == 1


async def test_a_server_that_does_not_answer_is_given_up(
    fake: FakeExecServer, remote: RemoteEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "GRACE_SECONDS", 0.05)
    fake.behaviour["http/request"] = silence

    with pytest.raises(HttpError, match=r"^http/request failed: error sending request for url \(http://h/\)$"):
        await remote.http.send(HttpRequest(url="http://h/", timeout=0.05))


async def test_a_body_that_stays_away_is_given_up(
    fake: FakeExecServer, remote: RemoteEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "GRACE_SECONDS", 0.05)
    response = await remote.http.send(HttpRequest(url="http://h/", timeout=0.05))
    await tell(fake, 2, "b", done=True)

    with pytest.raises(HttpError, match=f"^{BODY}error decoding response body$"):
        await response.read()


async def test_a_server_without_http_says_so(fake: FakeExecServer, remote: RemoteEnvironment) -> None:
    del fake.behaviour["http/request"]

    with pytest.raises(HttpError, match=r"^this exec-server can't make HTTP requests$"):
        await remote.http.send(GET)


async def test_a_refusal_is_told_in_the_server_s_words(fake: FakeExecServer, remote: RemoteEnvironment) -> None:
    fake.behaviour["http/request"] = refuse(-32603, "http/request failed: no")

    with pytest.raises(HttpError, match=r"^http/request failed: no$") as caught:
        await remote.http.send(GET)

    assert caught.value.code == -32603


@pytest.mark.parametrize("answer", [None, {}, {"status": "x", "headers": []}, {"status": 200, "headers": [{}]}])
async def test_an_answer_that_is_none_is_an_error(fake: FakeExecServer, remote: RemoteEnvironment, answer: Any) -> None:
    fake.behaviour["http/request"] = lambda _asked: answer

    with pytest.raises(HttpError, match="sent an invalid response"):
        await remote.http.send(GET)


@pytest.mark.parametrize("garbage", [{"seq": "1"}, {"deltaBase64": "!"}, {"deltaBase64": 3}])
async def test_a_piece_that_is_none_ends_the_body(
    fake: FakeExecServer, remote: RemoteEnvironment, garbage: dict[str, Any]
) -> None:
    response = await remote.http.send(GET)
    await tell(fake, 1, "a", **garbage)

    with pytest.raises(HttpError, match=f"^{BODY}{LOST}$"):
        await response.read()


async def test_connections_that_are_free_are_used_again_and_those_of_unfinished_bodies_are_not(
    fake: FakeExecServer, remote: RemoteEnvironment
) -> None:
    whole = await remote.http.send(GET)
    await tell(fake, 1, "", done=True)
    await whole.read()
    before = len(fake.connections)

    async with aclosing(await remote.http.send(GET)):
        again = len(fake.connections)
    await (await remote.http.send(GET)).aclose()

    assert (before, again, len(fake.connections)) == (2, 2, 3)


async def test_requests_wait_for_their_turn(
    fake: FakeExecServer, connected: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "MAX_CLIENTS", 2)
    monkeypatch.setattr(http, "GRACE_SECONDS", 0.0)
    remote = await connected(fake.url)
    first, second = [await remote.http.send(GET) for _ in range(2)]
    with pytest.raises(HttpError, match=r"^http/request failed: error sending request for url \(http://h/\)$"):
        await remote.http.send(HttpRequest(url="http://h/", timeout=0.05))
    third = asyncio.create_task(remote.http.send(GET))

    await first.aclose()

    await (await third).aclose()
    await second.aclose()
    assert len(fake.asked("http/request")) == 3


async def test_requests_disturb_no_processes(fake: FakeExecServer, remote: RemoteEnvironment) -> None:
    from codex_hookspecs.environments import ExecParams, ProcessClosed

    started = await remote.exec.start(ExecParams(process_id="p", argv=("x",), cwd="/", env={}))
    response = await remote.http.send(GET)
    fake.cut()
    with pytest.raises(HttpError):
        await response.read()
    process_line = fake.connections.pop()
    await fake.end("p")
    fake.connections.append(process_line)

    async with asyncio.timeout(LIMIT):
        assert [event async for event in started.events()][-1] == ProcessClosed(2)


async def test_closing_the_machine_ends_what_is_under_way(fake: FakeExecServer, remote: RemoteEnvironment) -> None:
    response = await remote.http.send(GET)

    await remote.aclose()

    with pytest.raises(HttpError):
        await response.read()
    with pytest.raises(HttpError, match=r"^the environment is closed$"):
        await remote.http.send(GET)
