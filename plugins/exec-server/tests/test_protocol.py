"""What a client may say when, and what ends its connection."""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed

from codex_exec_server import listening
from codex_hookspecs.errors import RpcError
from codex_listener.limits import Limits
from codex_testkit.servers.exec_client import LIMIT

pytestmark = pytest.mark.anyio


async def error_of(client, method: str, params=None) -> tuple[int, str]:
    with pytest.raises(RpcError) as caught:
        await client.request(method, params)
    return caught.value.code, caught.value.message


async def test_a_session_has_an_id_and_describes_the_environment(serve) -> None:
    server = await serve()
    async with server.client() as client:
        assert len(client.session_id) == 36
        assert client.info["shell"] == {"name": "sh", "path": "/bin/sh"}
        assert client.info["cwd"] == "file:///space"
        assert client.info == await client.request("environment/info")


@pytest.mark.parametrize(
    ("method", "params", "word"),
    [
        ("process/terminate", {"processId": "p"}, "exec"),
        ("fs/readFile", {"path": "/a"}, "filesystem"),
        ("environment/info", None, "environment info"),
        ("http/request", {"method": "GET", "url": "http://x/", "requestId": "r"}, "http"),
    ],
)
async def test_methods_need_a_session_that_both_sides_know_of(serve, method: str, params, word: str) -> None:
    server = await serve()
    async with server.client(begin=False) as client:
        assert await error_of(client, method, params) == (
            -32600,
            f"client must call initialize before using {word} methods",
        )
        await client.request("initialize", {"clientName": "t"})
        assert await error_of(client, method, params) == (
            -32600,
            f"client must send initialized before using {word} methods",
        )


async def test_parameters_are_read_before_the_state_is_looked_at(serve) -> None:
    server = await serve()
    async with server.client(begin=False) as client:
        assert await error_of(client, "process/start", {}) == (-32602, "missing field `processId`")
        assert await error_of(client, "no/such") == (-32601, "exec-server stub does not implement `no/such` yet")


async def test_a_session_is_opened_once(serve) -> None:
    server = await serve()
    async with server.client(begin=False) as client:
        assert await error_of(client, "initialize", {}) == (-32602, "missing field `clientName`")
        await client.begin()
        assert await error_of(client, "initialize", {"clientName": "t"}) == (
            -32600,
            "initialize may only be sent once per connection",
        )


@pytest.mark.parametrize("text", ["garbage", "[]", '{"id":null,"method":"m"}', "[" * 50_000, b"\xff\x00", ""])
async def test_what_is_no_message_is_refused_and_the_connection_lives(serve, text) -> None:
    server = await serve()
    async with server.client() as client:
        await client.send_raw(text)

        with pytest.raises(RpcError, match=r"^failed to parse websocket JSON-RPC message from exec-server") as caught:
            await client.answer(-1)

        assert caught.value.code == -32600
        assert await client.request("environment/status") == {"status": "ready"}


async def test_binary_messages_are_read_as_text_is(serve) -> None:
    server = await serve()
    async with server.client() as client:
        await client.send_raw(json.dumps({"id": "b", "method": "environment/status"}).encode())

        assert await client.answer("b") == {"status": "ready"}


@pytest.mark.parametrize(
    "text", ['{"method":"foo"}', '{"id":1,"result":{}}', '{"id":1,"error":{"code":1,"message":"x"}}']
)
async def test_what_a_client_must_not_send_ends_the_connection(serve, text: str) -> None:
    server = await serve()
    async with server.client() as client:
        await client.send_raw(text)

        assert await client.lost()


async def test_initialized_before_initialize_ends_the_connection(serve) -> None:
    server = await serve()
    async with server.client(begin=False) as client:
        await client.notify("initialized")

        assert await client.lost()


async def test_a_second_initialized_does_no_harm(serve) -> None:
    server = await serve()
    async with server.client() as client:
        await client.notify("initialized")

        assert await client.request("environment/status") == {"status": "ready"}


async def test_a_frame_of_15_mebibytes_passes_and_one_of_17_ends_the_connection(serve) -> None:
    server = await serve()
    async with server.client() as client:
        found = await client.request("process/terminate", {"processId": "x" * (15 << 20)})
        assert found == {"running": False}

        with suppress(ConnectionClosed):
            await client.send("process/terminate", {"processId": "x" * (17 << 20)})

        assert await client.lost()


async def test_a_message_in_many_frames_is_put_together(serve) -> None:
    server = await serve()
    async with server.client() as client:
        await client.socket.send(["{", '"id":"f",', '"method":"environment/status"}'])

        assert await client.answer("f") == {"status": "ready"}


async def test_many_clients_do_not_see_each_other(serve) -> None:
    server = await serve()
    async with server.client() as one, server.client() as other:
        await one.start("p", ["sleep"])

        assert await error_of(other, "process/read", {"processId": "p"}) == (-32600, "unknown process id p")
        assert await other.start("p", ["hello"]) == {"processId": "p", "sandboxType": "none"}


async def raw(server, text: bytes) -> bytes:
    host, port = server.url.removeprefix("ws://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(text)
    found = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    return found


UPGRADE = (
    b"Upgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)


@pytest.mark.parametrize(
    ("request_line", "headers", "status"),
    [
        (b"GET /readyz", b"", b"200"),
        (b"GET /", b"", b"400"),
        (b"GET /other", UPGRADE, b"404"),
        (b"GET /", UPGRADE + b"Origin: http://example.com\r\n", b"403"),
        (b"GET /readyz", b"Origin: null\r\n", b"403"),
        (b"POST /readyz", b"", b"405"),
        (b"POST /", b"", b"405"),
        (b"GET /", UPGRADE.replace(b"13", b"12"), b"400"),
    ],
)
async def test_other_http_requests_are_answered(serve, request_line: bytes, headers: bytes, status: bytes) -> None:
    server = await serve()

    found = await raw(server, request_line + b" HTTP/1.1\r\nHost: x\r\n" + headers + b"\r\n")

    assert found.startswith(b"HTTP/1.1 " + status)


@pytest.mark.parametrize("text", [b"garbage\r\n\r\n", b"\x16\x03\x01\r\n\r\n"])
async def test_what_is_no_http_is_refused(serve, text: bytes) -> None:
    server = await serve()

    assert (await raw(server, text)).startswith(b"HTTP/1.1 400")


async def test_headers_beyond_the_limit_are_refused(serve) -> None:
    server = await serve()

    assert (await raw(server, b"x" * 1_000_000)).startswith(b"HTTP/1.1 431")


@pytest.mark.parametrize("line", [b"X : y", b" x", b"X: a\0", b"X: a\x7f", b"X", b": y", b"X\xe9: y"])
async def test_malformed_headers_are_refused(serve, line: bytes) -> None:
    server = await serve()

    assert (await raw(server, b"GET / HTTP/1.1\r\nHost: x\r\n" + UPGRADE + line + b"\r\n\r\n")).startswith(
        b"HTTP/1.1 400"
    )


async def test_clients_without_good_credentials_are_not_let_in(serve) -> None:
    server = await serve(check=lambda authorization: None if authorization == "Bearer good" else "bad token")
    line = b"GET / HTTP/1.1\r\nHost: x\r\n" + UPGRADE

    assert (await raw(server, line + b"\r\n")).startswith(b"HTTP/1.1 401")
    assert (await raw(server, line + b"Authorization: Bearer bad\r\n\r\n")).endswith(b"bad token")


async def test_a_client_that_stalls_the_handshake_is_disconnected(serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "LIMITS", Limits(max_frame=1000, max_message=1000, upgrade_seconds=0.2))
    server = await serve()
    reader, writer = await asyncio.open_connection("127.0.0.1", int(server.url.rpartition(":")[2]))
    writer.write(b"GET / HTTP/1.1\r\nHost:")

    async with asyncio.timeout(LIMIT):
        assert await reader.read() == b""

    writer.close()


async def test_answers_are_sent_at_once(serve) -> None:
    server = await serve()
    made = []
    connect = server.server.connect
    server.server.connect = lambda peer: made.append(peer) or connect(peer)
    async with server.client():
        found = made[0]._transport.get_extra_info("socket")

        assert found.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
