"""Many clients with many threads that stream at once: nothing is lost or mixed, and one that stalls hurts nobody."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from streaming_model import pieces, streaming_model, wanted
from websocket_clients import EVERY_THREAD, LIMIT, RawClient, WebsocketServer

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio
CLIENTS, THREADS, DELTAS = (int(part) for part in os.environ.get("CODEX_TEST_STRAIN", "24x10x120").split("x"))
"""Clients, threads of each, deltas of each; ``100x20x200`` is what the server is made for, and takes minutes."""
TURN = [
    "turn/started",
    "item/started userMessage",
    "item/completed userMessage",
    "item/started agentMessage",
    "item/agentMessage/delta",
    "item/completed agentMessage",
    "thread/tokenUsage/updated",
    "turn/completed",
]
PER_THREAD_KIB = 400
PER_CLIENT_KIB = 1024
STALLED_KIB = 64 * 1024


class Streams:
    """What one client sees of its threads."""

    def __init__(self, client: RawClient) -> None:
        self.client = client
        self.tags: dict[str, str] = {}
        self.kinds: dict[str, list[str]] = {}
        self.deltas: dict[str, list[str]] = {}
        self.texts: dict[str, list[str]] = {}
        self.foreign: list[dict[str, Any]] = []
        self.open = 0
        self.done = asyncio.Event()
        client.handle = self.take

    def take(self, message: dict[str, Any]) -> None:
        method, params = message["method"], message["params"]
        thread = params.get("threadId")
        if thread not in self.tags:
            if thread is not None and method not in EVERY_THREAD:
                self.foreign.append(message)
            return
        if method in ("thread/status/changed", "warning"):  # A loaded machine may be warned of.
            return
        kind = f"{method} {params['item']['type']}" if "item" in params else method
        kinds = self.kinds.setdefault(thread, [])
        if kind not in kinds[-1:]:
            kinds.append(kind)
        if method == "item/agentMessage/delta":
            self.deltas.setdefault(thread, []).append(params["delta"])
        elif kind == "item/completed agentMessage":
            self.texts.setdefault(thread, []).append(params["item"]["text"])
        elif method == "turn/completed":
            self.open -= 1
            if not self.open:
                self.done.set()

    async def begin(self, name: str, count: int) -> None:
        """Start threads."""
        opened = await asyncio.gather(*(self.client.thread() for _ in range(count)))
        self.tags = {thread: f"{name}t{number}" for number, thread in enumerate(opened)}
        self.open = count

    async def run(self, deltas: int) -> None:
        """Start a turn in each."""
        await asyncio.gather(*(self.client.turn(thread, wanted(tag, deltas)) for thread, tag in self.tags.items()))

    def check(self, deltas: int) -> None:
        """Assert that all was there, in order, and nothing else."""
        assert self.foreign == []
        for thread, tag in self.tags.items():
            assert self.kinds[thread] == TURN
            assert self.deltas[thread] == pieces(tag, deltas)
            assert self.texts[thread] == ["".join(pieces(tag, deltas))]


@pytest.fixture
def model() -> Iterator[str]:
    with streaming_model() as url:
        yield url


@pytest.fixture
async def server(tmp_path: Path, model: str) -> AsyncIterator[WebsocketServer]:
    async with WebsocketServer(tmp_path, model) as running:
        yield running
        assert "Traceback" not in running.log()
        assert "never retrieved" not in running.log()


async def test_every_client_gets_all_of_its_threads_and_nothing_of_others(server: WebsocketServer) -> None:
    before = server.memory()
    # All clients are told of the state of all threads; only some of these want to know.
    quiet = [EVERY_THREAD if number >= 3 else () for number in range(CLIENTS)]
    clients = [Streams(await server.connect(opt_out=quiet[number])) for number in range(CLIENTS)]
    for number, each in enumerate(clients):
        await each.begin(f"c{number}", THREADS)
    loaded = server.memory()

    await asyncio.gather(*(each.run(DELTAS) for each in clients))
    for each in clients:
        await asyncio.wait_for(each.done.wait(), LIMIT)

    for each in clients:
        each.check(DELTAS)
    peak = server.memory(peak=True)
    print(f"KiB: {before} at first, {loaded} with all threads, {peak} at most, {server.memory()} in the end")
    assert peak - before < CLIENTS * (PER_CLIENT_KIB + THREADS * PER_THREAD_KIB)


async def test_a_client_that_stalls_is_disconnected_and_its_threads_are_whole(server: WebsocketServer) -> None:
    reader, stalled = Streams(await server.connect()), await server.connect()
    rounds, count, deltas = 3, 6, 2000
    await reader.begin("shared", count)
    own = [await stalled.thread() for _ in range(count)]
    for thread in reader.tags:
        await stalled.ask("thread/resume", threadId=thread)
    before = server.memory()
    stalled.stall()
    for number in range(rounds):
        for thread in own:
            stalled.begin("turn/start", {"threadId": thread, "input": wanted(f"own{number}", deltas)})

    for _ in range(rounds):
        reader.open = count
        reader.done.clear()
        await reader.run(deltas)
        await asyncio.wait_for(reader.done.wait(), LIMIT)
    async with asyncio.timeout(LIMIT):
        while "which does not read its messages" not in server.log():  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    growth = server.memory(peak=True) - before

    print(f"KiB: {growth} more than at first")
    assert growth < STALLED_KIB
    for thread, tag in reader.tags.items():
        assert reader.deltas[thread] == pieces(tag, deltas) * rounds
    again = await server.connect()
    for thread in own:
        resumed = (await again.ask("thread/resume", threadId=thread))["thread"]
        while resumed["status"]["type"] == "active":
            await again.completed(thread)
            resumed = (await again.ask("thread/resume", threadId=thread))["thread"]
        said = [item["text"] for turn in resumed["turns"] for item in turn["items"] if item["type"] == "agentMessage"]
        started = [item for turn in resumed["turns"] for item in turn["items"] if item["type"] == "userMessage"]
        assert len(started) == rounds
        # Messages that arrive during a turn are answered together, so that not each has an answer of its own.
        assert said[-1:] == ["".join(pieces(f"own{rounds - 1}", deltas))]
        assert set(said) <= {"".join(pieces(f"own{number}", deltas)) for number in range(rounds)}


async def test_threads_may_have_more_open_files_than_programs_usually_may(tmp_path: Path, model: str) -> None:
    server = WebsocketServer(tmp_path, model)
    server.launcher = ("/bin/sh", "-c", 'ulimit -Sn 64; exec "$@"', "sh")
    async with server:
        seen = Streams(await server.connect())
        await seen.begin("many", 40)
        await seen.run(5)
        await asyncio.wait_for(seen.done.wait(), LIMIT)
        seen.check(5)
        assert server.open_files() > 64


async def test_turns_fail_where_no_more_files_can_be_opened(tmp_path: Path, model: str) -> None:
    server = WebsocketServer(tmp_path, model)
    server.launcher = ("/bin/sh", "-c", 'ulimit -n 40; exec "$@"', "sh")
    async with server:
        client = await server.connect()
        threads = [await client.thread() for _ in range(40)]
        for thread in threads:
            await client.turn(thread, wanted("one", 5))
        ends = [(await client.completed(thread))["params"]["turn"]["status"] for thread in threads]
        await client.close()
        other = await server.connect()
        async with asyncio.timeout(LIMIT):
            while (await other.ask("thread/loaded/list"))["data"]:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        thread = await other.thread()
        last = await other.completed(thread, await other.turn(thread, wanted("two", 5)))

    assert set(ends) == {"completed", "failed"}
    assert last["params"]["turn"]["status"] == "completed"
