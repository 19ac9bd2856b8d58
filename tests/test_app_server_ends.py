"""A server that is killed, or asked to end, while many turns run: nothing that clients were told of is lost."""

from __future__ import annotations

import asyncio
import json
import signal
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest
from websocket_clients import EVERY_THREAD, LIMIT, RawClient, WebsocketServer, processes, sleep

from codex_testkit.servers.responses import ResponsesServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("this_machine")]
CLIENTS, THREADS, ROUNDS = 4, 4, 60

Items = dict[str, dict[str, Any]]


@pytest.fixture
def model() -> Iterator[ResponsesServer]:
    with ResponsesServer() as server:
        yield server


def rounds(name: str, count: int = ROUNDS) -> str:
    """Return a script that thinks, talks, runs commands and adds files."""
    found: list[Any] = []
    for number in range(count):
        added = f"*** Begin Patch\n*** Add File: {name}-{number}.txt\n+{number}\n*** End Patch"
        found.append([{"reason": "hm"}, {"say": f"a{number} " * 20, "phase": "commentary"}, {"sh": f"echo {number}"}])
        found.append([{"patch": added}])
    return f"MOCK:{json.dumps(found)}"


class Seen:
    """What a client was told of its threads."""

    def __init__(self, client: RawClient) -> None:
        self.client = client
        self.threads: list[str] = []
        self.items: dict[str, dict[str, Items]] = defaultdict(lambda: defaultdict(dict))
        self.ended: dict[str, str] = {}
        self.changed = asyncio.Event()
        client.handle = self.take

    def take(self, message: dict[str, Any]) -> None:
        params = message["params"]
        if message["method"] == "item/completed":
            self.items[params["threadId"]][params["turnId"]][params["item"]["id"]] = params["item"]
        elif message["method"] == "turn/completed":
            self.ended[params["turn"]["id"]] = params["turn"]["status"]
        self.changed.set()

    async def until(self, done: Any) -> None:
        async with asyncio.timeout(LIMIT):
            while not done():
                self.changed.clear()
                await self.changed.wait()

    def kinds(self, thread: str) -> list[str]:
        return [item["type"] for items in self.items[thread].values() for item in items.values()]


async def begin(server: WebsocketServer, name: str, count: int = ROUNDS, extra: str = "") -> Seen:
    """Connect a client and have it start turns, and one more of a script of its own."""
    seen = Seen(await server.connect(opt_out=EVERY_THREAD))
    scripts = [rounds(f"{name}-{number}", count) for number in range(THREADS)] + [extra] * bool(extra)
    for each in scripts:
        thread = await seen.client.thread()
        seen.threads.append(thread)
        await seen.client.turn(thread, each)
    return seen


async def check(client: RawClient, seen: Seen, statuses: set[str]) -> None:
    """Assert that the threads have all items that a client was told of."""
    for thread in seen.threads:
        turns = (await client.ask("thread/resume", threadId=thread))["thread"]["turns"]
        read = await client.ask("thread/read", threadId=thread, includeTurns=True)
        assert read["thread"]["turns"] == turns
        assert {turn["status"] for turn in turns} <= statuses
        found = {turn["id"]: {item["id"]: item for item in turn["items"]} for turn in turns}
        for turn, items in seen.items[thread].items():
            for ident, item in items.items():
                assert found[turn][ident] == item
        for turn, status in seen.ended.items():
            if turn in found:
                assert next(each["status"] for each in turns if each["id"] == turn) == status


def running(server: WebsocketServer) -> str:
    return f"MOCK:{json.dumps([[{'sh': f'{sleep(server)} & echo begun; wait'}]])}"


async def counted(command: str, number: int) -> None:
    """Wait until as many commands run."""
    async with asyncio.timeout(LIMIT):
        while len(processes(command)) != number:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_a_server_that_is_killed_loses_nothing_that_it_told(tmp_path: Path, model: ResponsesServer) -> None:
    async with WebsocketServer(tmp_path, model.url) as server:
        clients = [await begin(server, f"k{number}", extra=running(server)) for number in range(CLIENTS)]
        for seen in clients:
            await seen.until(lambda seen=seen: all("fileChange" in seen.kinds(thread) for thread in seen.threads[:-1]))
        await counted(sleep(server), CLIENTS)
        command = sleep(server)
        server.signal(signal.SIGKILL)
        await server.ended()
        await asyncio.gather(*(seen.client.lost.wait() for seen in clients))

    for path in (tmp_path / "home/sessions").rglob("*.jsonl"):
        lines = path.read_bytes().splitlines(keepends=True)
        whole = lines if lines[-1].endswith(b"\n") else lines[:-1]
        kinds = [json.loads(line)["type"] for line in whole]
        assert kinds[0] == "session_meta"
    async with WebsocketServer(tmp_path, model.url) as again:
        for seen in clients:
            client = await again.connect(opt_out=EVERY_THREAD)
            await check(client, seen, {"interrupted"})
            for thread in seen.threads:
                await client.turn(thread, f"MOCK:{json.dumps([[{'say': 'on'}]])}")
                assert (await client.completed(thread))["params"]["turn"]["status"] == "completed"
        await counted(command, 0)
        assert "Traceback" not in again.log()


async def refused(server: WebsocketServer) -> None:
    """Wait until the server accepts no connection any more."""
    async with asyncio.timeout(LIMIT):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", server.port)
            except ConnectionRefusedError:
                return
            writer.close()
            await asyncio.sleep(0.02)


async def test_a_server_that_is_asked_to_end_lets_turns_end_and_accepts_nobody(
    tmp_path: Path, model: ResponsesServer
) -> None:
    async with WebsocketServer(tmp_path, model.url, tables="[plugins.app-server]\ndrain_seconds = 60\n") as server:
        clients = [await begin(server, f"d{number}", count=3) for number in range(CLIENTS)]
        server.signal()
        await refused(server)
        # The clients that are there can still ask, and their running turns end.
        assert (await clients[0].client.call("thread/loaded/list"))["result"]["data"]
        assert await server.ended() == 0
        await asyncio.gather(*(seen.client.lost.wait() for seen in clients))
        assert "Traceback" not in server.log()
        assert "never retrieved" not in server.log()

    for seen in clients:
        assert list(seen.ended.values()) == ["completed"] * THREADS
    async with WebsocketServer(tmp_path, model.url) as again:
        for seen in clients:
            await check(await again.connect(), seen, {"completed"})


@pytest.mark.parametrize(("seconds", "signals"), [(0.5, 1), (600, 2)])
async def test_a_server_waits_no_longer_than_it_may_and_loses_nothing(
    tmp_path: Path, model: ResponsesServer, seconds: float, signals: int
) -> None:
    tables = f"[plugins.app-server]\ndrain_seconds = {seconds}\n"
    async with WebsocketServer(tmp_path, model.url, tables=tables) as server:
        clients = [await begin(server, f"s{number}", extra=running(server)) for number in range(CLIENTS)]
        await counted(sleep(server), CLIENTS)
        server.signal()
        await refused(server)
        if signals > 1:
            server.signal()
        assert await server.ended() == 0
        await asyncio.gather(*(seen.client.lost.wait() for seen in clients))
        await counted(sleep(server), 0)
        assert "Traceback" not in server.log()
        assert "never retrieved" not in server.log()

    async with WebsocketServer(tmp_path, model.url) as again:
        for seen in clients:
            await check(await again.connect(), seen, {"completed", "interrupted"})


async def test_a_turn_of_another_server_is_in_progress_until_that_server_has_ended(
    tmp_path: Path, model: ResponsesServer
) -> None:
    async with WebsocketServer(tmp_path, model.url) as first:
        client = await first.connect()
        thread = await client.thread()
        await client.turn(thread, running(first))
        await counted(sleep(first), 1)
        async with WebsocketServer(tmp_path, model.url) as second:
            reader = await second.connect()

            async def status() -> str:
                read = await reader.ask("thread/read", threadId=thread, includeTurns=True)
                return str(read["thread"]["turns"][-1]["status"])

            assert await status() == "inProgress"
            first.signal(signal.SIGKILL)
            await first.ended()
            await counted(sleep(first), 0)
            assert await status() == "interrupted"
