"""What a listener accepts, over real sockets, and what it makes of anything else."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from codex_hookspecs.auth import AcceptedClient
from codex_listener.http_upgrade import (
    Refused,
    UpgradeRequest,
    authenticate,
    find_fault,
    probe,
    read_request,
)
from codex_listener.limits import Limits
from codex_listener.sockets import bind, is_loopback, websocket_address
from codex_listener.websocket import Listener, WebsocketPeer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

LIMIT = 30.0
MAX = 100_000
UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


class Echo:
    """Sends back what it receives."""

    def __init__(self, peer: WebsocketPeer) -> None:
        self.peer = peer

    def receive(self, payload: bytes, *, text: bool) -> None:
        self.peer.queue(json.dumps([payload.decode("latin-1"), text]).encode())

    def lost(self) -> None:
        """Nothing is kept."""


def decide(request: UpgradeRequest) -> AcceptedClient | Refused:
    if request.path == "/readyz":
        return probe(request)
    return find_fault(request) or authenticate(request, None)


@asynccontextmanager
async def listening(**limits: Any) -> AsyncIterator[str]:
    listener = Listener(
        decide, Echo, Limits(max_frame=MAX, max_message=MAX, max_head=10_000, **limits), logging.getLogger("test")
    )
    socket, url = bind("127.0.0.1", 0)
    accepting = await listener.listen(socket)
    try:
        async with asyncio.timeout(LIMIT):
            yield url
    finally:
        await listener.stop(accepting)


async def send(url: str, data: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection(*url.removeprefix("ws://").split(":"))
    writer.write(data)
    return reader, writer


@pytest.mark.anyio
async def test_frames_of_all_kinds_arrive() -> None:
    async with listening() as url, connect(url, compression=None) as client:
        await client.send("text")
        await client.send(b"bytes")
        await client.send(["in ", "three ", "parts"])
        await client.send("x" * MAX)

        assert [json.loads(await client.recv()) for _ in range(3)] == [
            ["text", True],
            ["bytes", False],
            ["in three parts", True],
        ]
        assert json.loads(await client.recv()) == ["x" * MAX, True]


@pytest.mark.anyio
@pytest.mark.parametrize("message", ["x" * (MAX + 1), ["x" * 60_000, "x" * 60_000]], ids=["frame", "message"])
async def test_what_is_too_long_ends_the_connection(message: Any) -> None:
    async with listening() as url, connect(url, compression=None) as client:
        await client.send(message)

        with pytest.raises(ConnectionClosed):
            await client.recv()


@pytest.mark.anyio
async def test_frames_sent_with_the_upgrade_are_not_lost() -> None:
    text = b"x" * 40_000
    frame = b"\x81" + bytes([0x80 | 126]) + len(text).to_bytes(2, "big") + bytes(4) + text

    async with listening() as url:
        reader, writer = await send(url, UPGRADE + frame)
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(4)
        assert json.loads(await reader.readexactly(len(text) + len('["", true]'))) == [text.decode(), True]
        writer.close()


@pytest.mark.anyio
async def test_whoever_waits_longest_for_its_upgrade_makes_room() -> None:
    async with listening(max_upgrades=2) as url:
        waiting = [await send(url, b"GET / HTTP/1.1\r\n") for _ in range(3)]
        assert await waiting[0][0].read() == b""
        async with connect(url, compression=None) as client:
            await client.send("hello")
            assert json.loads(await client.recv()) == ["hello", True]
        assert await waiting[1][0].read() == b""
        waiting[2][1].write(UPGRADE.partition(b"\r\n")[2])
        assert (await waiting[2][0].readline()).startswith(b"HTTP/1.1 101 ")
        for _, writer in waiting:
            writer.close()


@pytest.mark.anyio
async def test_an_upgrade_takes_no_longer_than_allowed() -> None:
    async with listening(upgrade_seconds=0.1) as url:
        reader, writer = await send(url, UPGRADE[:-2])

        assert await reader.read() == b""
        writer.close()


@pytest.mark.anyio
async def test_a_head_is_no_longer_than_allowed() -> None:
    async with listening() as url:
        reader, writer = await send(url, b"GET / HTTP/1.1\r\nX: " + b"y" * 20_000)

        assert (await reader.readline()).startswith(b"HTTP/1.1 431 ")
        writer.close()


@given(st.binary(max_size=300))
def test_any_head_is_read_or_refused(head: bytes) -> None:
    found = read_request(head)

    assert isinstance(found, UpgradeRequest) or found.response.startswith(b"HTTP/1.1 4")


@given(
    st.sampled_from(["GET", "POST", "get", ""]),
    st.text(st.characters(codec="latin-1"), max_size=20),
    st.dictionaries(
        st.sampled_from(["Connection", "Upgrade", "Sec-WebSocket-Key", "Sec-WebSocket-Version", "Origin", "x y", ""]),
        st.text(st.characters(codec="latin-1"), max_size=20) | st.sampled_from(["upgrade", "websocket", "13"]),
    ),
)
def test_any_request_is_upgraded_or_refused(method: str, path: str, headers: dict[str, str]) -> None:
    lines = [f"{method} /{path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    request = read_request("\r\n".join(lines).encode("latin-1"))

    decision = request if isinstance(request, Refused) else decide(request)

    assert isinstance(decision, AcceptedClient) or decision.response.startswith(b"HTTP/1.1 ")


@settings(max_examples=40, deadline=None)
@given(st.lists(st.binary(max_size=80), max_size=6))
def test_any_bytes_behind_the_upgrade_leave_the_others_alone(pieces: list[bytes]) -> None:
    async def play() -> None:
        async with listening() as url:
            _, writer = await send(url, UPGRADE)
            for piece in pieces:
                writer.write(piece)
                await asyncio.sleep(0)
            async with connect(url, compression=None) as client:
                await client.send("still there")
                assert json.loads(await client.recv()) == ["still there", True]
            writer.close()

    asyncio.run(play())


def test_addresses_are_an_ip_and_a_port() -> None:
    assert websocket_address("ws://127.0.0.1:0") == ("127.0.0.1", 0)
    assert websocket_address("ws://[::1]:7") == ("::1", 7)
    for text in (
        "ws://localhost:1",
        "ws://127.0.0.1",
        "ws://127.0.0.1:70000",
        "ws://::1:7",
        "ws://1.2.3.4:\u0663",
        "x",
    ):
        assert websocket_address(text) is None
    assert [is_loopback(host) for host in ("127.9.9.9", "::1", "0.0.0.0")] == [True, True, False]
