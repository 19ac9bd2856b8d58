"""How exec-servers are started, connected to and ended (§1 of the protocol)."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from websockets.exceptions import ConnectionClosed

from interop.exec_server import LIMIT, Server, b64, client, ended, environment, launch, output, uri, wire

if TYPE_CHECKING:
    from pathlib import Path

    from interop.clients import Codex

MIB = 1024 * 1024
UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
}


async def get(served: Server, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Send one GET and give status, headers and body."""
    host, port = served.address
    reader, writer = await asyncio.open_connection(host, port)
    lines = "".join(f"{name}: {value}\r\n" for name, value in {"Host": f"{host}:{port}", **headers}.items())
    writer.write(f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode())
    head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), LIMIT)).decode()
    status, *rest = head.strip().split("\r\n")
    found = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
    body = await asyncio.wait_for(reader.readexactly(int(found.get("content-length", "0"))), LIMIT)
    writer.close()
    await writer.wait_closed()
    return int(status.split()[1]), found, body


def refusal(codex: Codex, home: Path, url: str) -> tuple[int, str]:
    """Start a server that can't; give its status and what it said."""
    home.mkdir(parents=True)
    done = subprocess.run(
        [str(codex.path), "exec-server", "--listen", url],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        env=environment(home),
        check=False,
    )
    assert done.stdout == ""
    return done.returncode, done.stderr


def test_the_first_line_is_the_bound_url(served: Server) -> None:
    assert re.fullmatch(rb"ws://127\.0\.0\.1:[1-9][0-9]*\n", served.first_line)


@pytest.mark.parametrize("url", ["http://127.0.0.1:0", "unix:///x", "nonsense"])
def test_another_scheme_ends_it(serving: Codex, folder: Path, url: str) -> None:
    status, errors = refusal(serving, folder / "home", url)

    assert status == 1
    assert f"unsupported --listen URL `{url}`; expected " in errors


@pytest.mark.parametrize("url", ["ws://127.0.0.1", "ws://127.0.0.1:port", "ws://localhost:0", "ws://127.0.0.1:99999"])
def test_a_websocket_url_without_numeric_address_ends_it(serving: Codex, folder: Path, url: str) -> None:
    status, errors = refusal(serving, folder / "home", url)

    assert status == 1
    assert f"invalid websocket --listen URL `{url}`; expected " in errors


@pytest.mark.parametrize("listen", ["stdio", "stdio://"])
def test_stdio_carries_a_message_a_line_and_ends_with_stdin(serving: Codex, folder: Path, listen: str) -> None:
    home = folder / "home"
    home.mkdir(parents=True)
    with subprocess.Popen(
        [str(serving.path), "exec-server", "--listen", listen],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment(home),
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for message in (
            {"id": 1, "method": "initialize", "params": {"clientName": "interop"}},
            {"method": "initialized"},
            {"id": 2, "method": "process/start", "params": launch("p", "echo", "hi")},
        ):
            process.stdin.write(json.dumps(message).encode() + b"\n")
        process.stdin.flush()
        seen: list[dict[str, Any]] = []
        while not seen or seen[-1].get("method") != "process/closed":
            seen.append(json.loads(process.stdout.readline()))
        process.stdin.close()

        assert {1, 2} <= {message.get("id") for message in seen}
        assert output(message for message in seen if message.get("method") == "process/output") == b"hi\n"
        assert process.wait(LIMIT) == 0


async def test_text_and_binary_frames_are_read_and_text_is_sent(served: Server) -> None:
    async with wire(served.url) as one:
        message = {"method": "initialize", "params": {"clientName": "interop"}}
        await one.send(json.dumps({"id": "b", **message}).encode())

        assert (await one.result("b"))["sessionId"]


async def test_no_subprotocol_and_no_extension_is_offered(served: Server) -> None:
    wishes = {"Sec-WebSocket-Protocol": "codex", "Sec-WebSocket-Extensions": "permessage-deflate"}
    status, headers, _ = await get(served, "/", **UPGRADE, **wishes)

    assert status == 101
    assert not {"sec-websocket-protocol", "sec-websocket-extensions"} & set(headers)


@pytest.mark.parametrize("path", ["/other", "/ws", "/readyz/x"])
async def test_another_path_is_not_found(served: Server, path: str) -> None:
    assert (await get(served, path, **UPGRADE))[0] == 404
    assert (await get(served, path))[0] == 404


async def test_readyz_is_empty_and_fine(served: Server) -> None:
    status, _, body = await get(served, "/readyz")

    assert (status, body) == (200, b"")


async def test_a_plain_get_is_a_bad_request(served: Server) -> None:
    assert (await get(served, "/"))[0] == 400


@pytest.mark.parametrize("origin", ["http://127.0.0.1", "null", "https://example.com"])
async def test_a_request_with_an_origin_is_forbidden(served: Server, origin: str) -> None:
    assert (await get(served, "/", **UPGRADE, Origin=origin))[0] == 403


async def test_a_frame_of_15_mib_passes(served: Server, folder: Path) -> None:
    data = b64(os.urandom(11 * MIB))
    padding = "x" * (15 * MIB - len(data) - 1000)
    async with client(served.url) as one:
        assert (
            await one.call("fs/writeFile", {"path": uri(folder / "big"), "dataBase64": data, "padding": padding}) == {}
        )
    assert (folder / "big").stat().st_size == 11 * MIB


async def test_a_frame_of_17_mib_loses_its_client_only(served: Server) -> None:
    async with client(served.url) as other, client(served.url) as one:
        with suppress(ConnectionClosed):
            await one.send(json.dumps({"id": 5, "method": "no/such", "params": "x" * (17 * MIB)}))

        await one.lost()
        assert await other.alive()


async def test_a_frame_as_big_as_allowed_is_answered(served: Server) -> None:
    message = {"id": 5, "method": "no/such", "params": ""}
    message["params"] = "x" * (16 * MIB - len(json.dumps(message)))
    async with wire(served.url) as one:
        await one.send(json.dumps(message))

        assert (await one.answer(5))["error"]["code"] == -32601


async def test_a_message_in_several_frames_is_one(served: Server) -> None:
    message = json.dumps({"id": 5, "method": "no/such"})
    async with wire(served.url) as one:
        await one.connection.send([message[:5], message[5:12], message[12:]])

        assert (await one.answer(5))["error"]["code"] == -32601


async def test_a_ping_is_answered(served: Server) -> None:
    async with wire(served.url) as one:
        assert await asyncio.wait_for(await one.connection.ping(), LIMIT) >= 0


async def test_a_client_at_fault_is_dropped_without_a_closing_handshake(served: Server) -> None:
    async with client(served.url) as one:
        await one.send({"method": "no/such"})

        assert await one.lost() == 1006


async def test_clients_do_not_disturb_each_other(served: Server) -> None:
    async with client(served.url) as one, client(served.url) as other:
        await one.send({"method": "no/such"})
        await one.lost()

        assert one.session != other.session
        assert await other.run("p", "echo", "hi") == (0, b"hi\n")


async def test_sigterm_ends_it_well_with_all_its_children(serving: Codex, folder: Path) -> None:
    server = Server(serving, folder / "home")
    try:
        async with client(server.url) as one:
            await one.start_shell("p", "sleep 300 & echo $$ $!; sleep 300")
            await one.start("q", "sh", "-c", "echo $$; read x", tty=True)
            pids = [int(pid) for name in "pq" for pid in (await one.printed(name, "\n")).split()]
            server.process.terminate()

            assert await asyncio.to_thread(server.process.wait, LIMIT) == 0
            assert len(pids) == 3
            for pid in pids:
                await ended(pid)
    finally:
        server.close()
