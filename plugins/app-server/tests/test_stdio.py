"""Standard input and output as a transport."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path

import pytest

from codex_app_server.command import serve
from codex_app_server.transports.stdio import StdioTransport
from codex_hookspecs.errors import UsageError

pytestmark = pytest.mark.anyio

LOG = logging.getLogger("test")


async def test_lines_come_in_one_by_one_until_the_end() -> None:
    source, writing = os.pipe()
    transport = StdioTransport(LOG, source=source)
    os.write(writing, b'{"a":1}\n{"b"')

    assert await transport.receive() == b'{"a":1}'
    os.write(writing, b":2}\n")
    assert await transport.receive() == b'{"b":2}'
    os.close(writing)
    assert await transport.receive() is None
    os.close(source)


async def test_a_file_can_be_standard_input(tmp_path: Path) -> None:
    path = tmp_path / "requests"
    path.write_bytes(b"{}\n[]")
    source = os.open(path, os.O_RDONLY)
    transport = StdioTransport(LOG, source=source)

    assert [await transport.receive() for _ in range(3)] == [b"{}", b"[]", None]
    os.close(source)


async def test_a_message_larger_than_the_pipe_waits_for_its_reader() -> None:
    reading, target = os.pipe()
    transport = StdioTransport(LOG, target=target)
    message = b"x" * 1_000_000

    sending = asyncio.create_task(transport.send(message))
    await asyncio.sleep(0)
    got = b""
    while len(got) <= len(message):
        got += await asyncio.to_thread(os.read, reading, 1 << 16)
    await sending

    assert got == message + b"\n"
    os.close(reading)
    with pytest.raises(BrokenPipeError):
        await transport.send(b"more")
    os.close(target)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--nope"], "unexpected argument '--nope' found"),
        (["--listen"], "a value is required for '--listen <URL>' but none was supplied"),
        (["--listen=ws://host:1"], "invalid value 'ws://host:1' for '--listen <URL>'"),
    ],
)
async def test_a_wrong_command_line_is_told_with_the_usage(host, arguments: list[str], complaint: str) -> None:
    opened = await host().opened()

    with pytest.raises(UsageError) as caught:
        await serve(arguments, opened.application)

    assert str(caught.value).startswith(complaint)
    assert caught.value.usage == "Usage: codex app-server [OPTIONS] [COMMAND]"
