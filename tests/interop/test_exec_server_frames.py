"""The frames of the websocket below exec-servers, byte by byte."""

from __future__ import annotations

import asyncio
import json
import os
import struct
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest

from interop.exec_server import LIMIT, client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from interop.exec_server import Message, Server

MIB = 1024 * 1024
MORE, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
NOTHING = json.dumps({"id": 1, "method": "no/such"}).encode()


def frame(kind: int, payload: bytes = b"", *, last: bool = True, masked: bool = True, reserved: int = 0) -> bytes:
    """Give a frame; the mask has only zeros where the payload is big."""
    first = (0x80 if last else 0) | reserved << 4 | kind
    size = len(payload)
    shown = size if size < 126 else 126 if size < 65536 else 127
    head = bytes([first, (0x80 if masked else 0) | shown])
    head += struct.pack(">H", size) if shown == 126 else struct.pack(">Q", size) if shown == 127 else b""
    if not masked:
        return head + payload
    if size > 100_000:
        return head + bytes(4) + payload
    mask = os.urandom(4)
    return head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


class Raw:
    """A connection behind its upgrade."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def send(self, *frames: bytes) -> None:
        self._writer.write(b"".join(frames))
        with suppress(ConnectionError):
            await asyncio.wait_for(self._writer.drain(), LIMIT)

    async def frame(self) -> tuple[int, bytes]:
        """Give the next frame, which is never masked and always whole."""
        async with asyncio.timeout(LIMIT):
            first, second = await self._reader.readexactly(2)
            assert first & 0xF0 == 0x80
            size = second
            if second >= 126:
                length = await self._reader.readexactly(2 if second == 126 else 8)
                size = int.from_bytes(length, "big")
            return first & 0xF, await self._reader.readexactly(size)

    async def message(self) -> Message:
        kind, payload = await self.frame()
        assert kind == TEXT
        found: Message = json.loads(payload)
        return found

    async def over(self) -> bytes:
        """Wait for the end of the connection; give what came before it."""
        with suppress(ConnectionError):
            return await asyncio.wait_for(self._reader.read(), LIMIT)
        return b""


@asynccontextmanager
async def raw(served: Server) -> AsyncIterator[Raw]:
    reader, writer = await asyncio.open_connection(*served.address)
    writer.write(
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), LIMIT)
    assert head.startswith(b"HTTP/1.1 101 ")
    assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head
    try:
        yield Raw(reader, writer)
    finally:
        writer.transport.abort()


async def test_a_message_may_come_byte_by_byte(served: Server) -> None:
    async with raw(served) as one:
        for byte in frame(TEXT, NOTHING):
            await one.send(bytes([byte]))
            await asyncio.sleep(0)

        assert (await one.message())["id"] == 1


async def test_many_messages_may_come_at_once(served: Server) -> None:
    async with raw(served) as one:
        messages = [{"id": number, "method": "no/such"} for number in range(500)]
        await one.send(*(frame(TEXT, json.dumps(message).encode()) for message in messages))

        assert [(await one.message())["id"] for _ in messages] == list(range(500))


@pytest.mark.parametrize("size", [125, 126, 127, 65535, 65536, 65537, 300_000])
@pytest.mark.parametrize("kind", [TEXT, BINARY], ids=["text", "binary"])
async def test_messages_of_any_size_are_read_and_sent(served: Server, size: int, kind: int) -> None:
    async with raw(served) as one:
        message: dict[str, Any] = {"id": "", "method": "x"}
        message["id"] = "i" * (size - len(json.dumps(message)))
        await one.send(frame(kind, json.dumps(message).encode()))

        assert (await one.message())["id"] == message["id"]


@pytest.mark.parametrize("payload", [b"", b"x", b"x" * 125])
async def test_a_ping_is_answered_with_what_it_carries_also_within_a_message(served: Server, payload: bytes) -> None:
    async with raw(served) as one:
        await one.send(frame(TEXT, NOTHING[:9], last=False), frame(PING, payload), frame(PONG, b"?"))
        assert await one.frame() == (PONG, payload)
        await one.send(frame(MORE, b"", last=False), frame(MORE, NOTHING[9:]))

        assert (await one.message())["id"] == 1


async def test_a_sign_may_be_cut_between_frames(served: Server) -> None:
    text = json.dumps({"id": "é😀", "method": "x"}, ensure_ascii=False).encode()
    async with raw(served) as one:
        pieces = [text[at : at + 1] for at in range(len(text))]
        frames = [frame(TEXT if not at else MORE, piece, last=False) for at, piece in enumerate(pieces)]
        await one.send(*frames, frame(MORE))

        assert (await one.message())["id"] == "é😀"


@pytest.mark.parametrize("payload", [b"", struct.pack(">H", 1000), struct.pack(">H", 1000) + b"bye"])
async def test_a_closing_frame_ends_the_connection(served: Server, payload: bytes) -> None:
    async with raw(served) as one:
        await one.send(frame(CLOSE, payload))
        last = await one.over()

        assert last[:1] in (b"", bytes([0x80 | CLOSE]))


@pytest.mark.parametrize(
    "frames",
    {
        "not masked": [frame(TEXT, NOTHING, masked=False)],
        "first reserved bit": [frame(TEXT, NOTHING, reserved=4)],
        "last reserved bit": [frame(TEXT, NOTHING, reserved=1)],
        "reserved kind": [frame(3, NOTHING)],
        "reserved control": [frame(11, b"")],
        "long ping": [frame(PING, b"x" * 126)],
        "ping in pieces": [frame(PING, b"x", last=False)],
        "nothing to go on with": [frame(MORE, NOTHING)],
        "message within a message": [frame(TEXT, b"{", last=False), frame(TEXT, NOTHING)],
        "text that is not UTF-8": [frame(TEXT, b"\xff\xfe")],
        "text in pieces that is not UTF-8": [frame(TEXT, b"\xc3", last=False), frame(MORE, b"\x28")],
        "enormous": [b"\x81\xff" + struct.pack(">Q", 2**63 - 1) + bytes(4)],
        "impossible": [b"\x81\xff" + struct.pack(">Q", 2**64 - 1) + bytes(4)],
        "17 MiB": [b"\x81\xff" + struct.pack(">Q", 17 * MIB) + bytes(4)],
        "70 MiB in pieces": [
            frame(TEXT, b" " * (14 * MIB), last=False),
            *(frame(MORE, b" " * (14 * MIB), last=False) for _ in range(3)),
            frame(MORE, b" " * (14 * MIB)),
        ],
    }.items(),
    ids=lambda case: case[0],
)
async def test_wrong_frames_end_the_connection_and_no_other(served: Server, frames: tuple[str, list[bytes]]) -> None:
    async with raw(served) as one, client(served.url) as other:
        await one.send(*frames[1])
        await one.over()

        assert await other.alive()


async def test_a_message_of_60_mib_in_pieces_is_read(served: Server) -> None:
    async with raw(served) as one:
        await one.send(frame(TEXT, NOTHING[:1], last=False))
        for _ in range(4):
            await one.send(frame(MORE, b" " * (15 * MIB - 100), last=False))
        await one.send(frame(MORE, NOTHING[1:]))

        assert (await one.message())["id"] == 1


async def test_an_upgrade_and_messages_may_come_together(served: Server) -> None:
    host, port = served.address
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: WebSocket\r\nConnection: upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        + frame(TEXT, NOTHING)
        + frame(PING, b"x")
    )
    await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), LIMIT)
    one = Raw(reader, writer)

    kinds = dict([await one.frame(), await one.frame()])
    assert json.loads(kinds[TEXT])["id"] == 1
    assert kinds[PONG] == b"x"
    writer.transport.abort()


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 8\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    ],
    ids=["no key", "old version", "POST", "nonsense", "TLS"],
)
async def test_a_wrong_upgrade_is_refused(served: Server, head: bytes) -> None:
    reader, writer = await asyncio.open_connection(*served.address)
    writer.write(head)
    line = await asyncio.wait_for(reader.readline(), LIMIT)
    writer.close()

    assert line == b"" or line.split()[1].startswith(b"4")
