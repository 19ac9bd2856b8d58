"""A client at standard input that sends thousands of requests at once gets an answer to each."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from streaming_model import pieces, streaming_model, wanted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.anyio
CODEX = str(Path(sys.executable).with_name("codex"))
LIMIT = 60
REQUESTS = 10_000
GROWTH_KIB = 48 * 1024
HELLO = {"clientInfo": {"name": "flood", "version": "1"}, "capabilities": {"experimentalApi": True}}
METHODS: list[tuple[str, dict[str, Any]]] = [
    ("thread/loaded/list", {}),
    ("thread/list", {"limit": 1}),
    ("model/list", {}),
    ("config/read", {"includeLayers": True}),
    ("fs/getMetadata", {"path": "/"}),
    ("thread/read", {"threadId": "00000000-0000-7000-8000-000000000000"}),
    ("no/such/method", {}),
]


def line(number: int, method: str, params: Any) -> bytes:
    return json.dumps({"id": number, "method": method, "params": params}).encode() + b"\n"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    with streaming_model() as url:
        provider = f'[model_providers.mock]\nname = "mock"\nbase_url = "{url}"\nwire_api = "responses"\n'
        (tmp_path / "config.toml").write_text(f'model = "m"\nmodel_provider = "mock"\n{provider}')
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("CODEX", "OPENAI"))}
        process = await asyncio.create_subprocess_exec(
            CODEX, "app-server", cwd=tmp_path, env={**kept, "CODEX_HOME": str(tmp_path), "HOME": str(tmp_path)},
            limit=2**14, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        yield process
        if process.returncode is None:
            process.kill()
        await process.communicate()


def memory(server: asyncio.subprocess.Process) -> int:
    status = Path(f"/proc/{server.pid}/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+)", status)[0])


async def greet(server: asyncio.subprocess.Process) -> None:
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.write(line(0, "initialize", HELLO) + b'{"method":"initialized"}\n')
    assert b'"result"' in await asyncio.wait_for(server.stdout.readline(), LIMIT)


async def rest(server: asyncio.subprocess.Process) -> list[dict[str, Any]]:
    """Read what the server says until its end, which is a good one."""
    assert server.stdout is not None
    assert server.stderr is not None
    errors = asyncio.create_task(server.stderr.read())
    said = await asyncio.wait_for(server.stdout.read(), LIMIT)
    assert await asyncio.wait_for(server.wait(), LIMIT) == 0
    assert b"Traceback" not in await errors
    return [json.loads(each) for each in said.splitlines()]


def answered(messages: list[dict[str, Any]]) -> Counter[int]:
    return Counter(message["id"] for message in messages if "method" not in message)


async def test_requests_that_nobody_reads_the_answers_of_wait_and_are_answered_once(
    server: asyncio.subprocess.Process,
) -> None:
    await greet(server)
    assert server.stdin is not None
    before = memory(server)
    numbers = range(1, REQUESTS + 1)
    server.stdin.write(b"".join(line(number, *METHODS[number % len(METHODS)]) for number in numbers))
    still, unsent = 0, -1
    while still < 20:  # Until nothing moves any more: the server has stopped reading.
        await asyncio.sleep(0.05)
        now = server.stdin.transport.get_write_buffer_size()  # type: ignore[attr-defined]
        still, unsent = (still + 1, now) if now == unsent else (0, now)
    assert unsent > 0
    assert memory(server) - before < GROWTH_KIB

    server.stdin.close()
    messages = await rest(server)

    assert answered(messages) == Counter(numbers)
    codes = {message["error"]["code"] for message in messages if "error" in message}
    assert codes == {-32600}


async def test_turns_that_run_at_the_end_of_input_are_not_lost(server: asyncio.subprocess.Process) -> None:
    await greet(server)
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.write(line(1, "thread/start", {}))
    while (opened := json.loads(await asyncio.wait_for(server.stdout.readline(), LIMIT))).get("id") != 1:
        pass
    thread = opened["result"]["thread"]["id"]
    begin = {"threadId": thread, "input": wanted("end", 5)}
    server.stdin.write(line(2, "turn/start", begin) + b"".join(line(n, "thread/list", {}) for n in range(3, 500)))
    server.stdin.close()

    messages = await rest(server)

    assert answered(messages) == Counter(range(2, 500))
    deltas = [message["params"]["delta"] for message in messages if message.get("method") == "item/agentMessage/delta"]
    assert deltas == pieces("end", 5)[: len(deltas)]
