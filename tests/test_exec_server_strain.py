"""``codex exec-server`` and clients that mean no good: bounded memory, bounded waits, others go on."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.frames import Frame, Opcode

from codex_testkit.servers.exec_client import LIMIT, ExecServerAt, exec_server

pytestmark = pytest.mark.anyio
UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
STALLED_SECONDS = 1.0
MEBIBYTE = 1024


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ExecServerAt]:
    async with exec_server(env={"CODEX_HOME": str(tmp_path)}) as running:
        yield running


def peak(server: ExecServerAt) -> int:
    """Return the KiB of memory that a server has had at most."""
    lines = Path(f"/proc/{server.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def open_files(server: ExecServerAt) -> int:
    return len(os.listdir(f"/proc/{server.pid}/fd"))


def request(number: int, method: str, params: Any = None) -> bytes:
    body = json.dumps({"id": number, "method": method, "params": params}).encode()
    return Frame(Opcode.TEXT, body).serialize(mask=True)


@contextmanager
def raw(server: ExecServerAt, *, begin: bool = True) -> Iterator[socket.socket]:
    """Connect without a library."""
    host, _, port = server.url.removeprefix("ws://").rpartition(":")
    with socket.create_connection((host, int(port)), LIMIT) as made:
        if begin:
            initialized = Frame(Opcode.TEXT, b'{"method":"initialized"}').serialize(mask=True)
            made.sendall(UPGRADE + request(0, "initialize", {"clientName": "raw"}) + initialized)
            said = b""
            while b"sessionId" not in said:
                said += (part := made.recv(65536))
                assert part, said
        made.settimeout(STALLED_SECONDS)
        yield made


def pour(target: socket.socket, data: bytes, times: int) -> bool:
    """Send something again and again without reading.

    :return: whether the other side stopped taking it.
    """
    try:
        for _ in range(times):
            target.sendall(data)
    except TimeoutError:
        return True
    return False


async def others_are_served(server: ExecServerAt) -> bool:
    async with server.client() as client:
        return bool(await client.request("environment/status") == {"status": "ready"})


async def test_answers_that_nobody_reads_are_not_piled_up(server: ExecServerAt, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x" * 1_000_000)
    await others_are_served(server)
    before = peak(server)
    with raw(server) as client:
        calls = b"".join(request(number, "fs/readFile", {"path": str(file)}) for number in range(1, 201))
        stalled = await asyncio.to_thread(pour, client, calls, 1000)

        assert stalled
        assert peak(server) - before < 64 * MEBIBYTE
        assert await others_are_served(server)


async def test_what_was_held_up_is_answered_in_the_end(server: ExecServerAt, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x" * 300_000)
    async with server.client() as client:
        numbers = [await client.send("fs/readFile", {"path": str(file)}) for _ in range(150)]
        numbers += [await client.send("environment/status") for _ in range(50)]

        answers = [await client.answer(number) for number in numbers]

        assert [len(answer.get("dataBase64", "")) for answer in answers] == [400_000] * 150 + [0] * 50


async def test_pongs_that_nobody_reads_are_not_piled_up(server: ExecServerAt) -> None:
    await others_are_served(server)
    before = peak(server)
    with raw(server) as client:
        pings = Frame(Opcode.PING, b"x" * 125).serialize(mask=True) * 1000
        stalled = await asyncio.to_thread(pour, client, pings, 2000)

        assert stalled
        assert peak(server) - before < 48 * MEBIBYTE
        assert await others_are_served(server)


async def test_requests_that_wait_are_not_piled_up(server: ExecServerAt) -> None:
    await others_are_served(server)
    before = peak(server)
    with raw(server) as client:
        start = {
            "processId": "p",
            "argv": ["sleep", "60"],
            "cwd": "/",
            "env": {"PATH": os.environ["PATH"]},
            "tty": False,
        }
        client.sendall(request(1, "process/start", start))
        reads = request(2, "process/read", {"processId": "p", "waitMs": 60_000}) * 1000
        stalled = await asyncio.to_thread(pour, client, reads, 500)

        assert stalled
        assert peak(server) - before < 160 * MEBIBYTE
        assert await others_are_served(server)


async def test_small_pieces_of_a_message_take_no_more_than_the_message(server: ExecServerAt) -> None:
    await others_are_served(server)
    before = peak(server)
    with raw(server) as client:
        client.sendall(Frame(Opcode.TEXT, b'{"', fin=False).serialize(mask=True))
        pieces = Frame(Opcode.CONT, b"xy", fin=False).serialize(mask=True) * 5000
        client.settimeout(LIMIT)

        await asyncio.to_thread(pour, client, pieces, 20)

        assert await others_are_served(server)
        assert peak(server) - before < 16 * MEBIBYTE


async def test_five_hundred_clients_at_once_leave_nothing_behind(server: ExecServerAt) -> None:
    await others_are_served(server)
    before = open_files(server)
    opened = []
    try:
        for _ in range(250):
            opened.append(socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2]))))
            opened.append(socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2]))))
            opened[-1].sendall(UPGRADE)

        assert await others_are_served(server)
    finally:
        for each in opened:
            each.close()

    async with asyncio.timeout(LIMIT):
        while True:
            if open_files(server) <= before:
                break
            await asyncio.sleep(0.01)


async def test_a_frame_that_is_announced_and_never_comes_takes_no_memory(server: ExecServerAt) -> None:
    await others_are_served(server)
    before = peak(server)
    held = []
    try:
        for _ in range(50):
            manager = raw(server)
            client = manager.__enter__()
            held.append(manager)
            client.sendall(b"\x81\xff" + (16 * 1024 * 1024).to_bytes(8, "big") + b"\0\0\0\0" + b"x" * 1000)

        assert await others_are_served(server)
        assert peak(server) - before < 48 * MEBIBYTE
    finally:
        for manager in held:
            manager.__exit__(None, None, None)
