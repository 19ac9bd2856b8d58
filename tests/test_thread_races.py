"""Three clients do everything with one thread at once: each request has one answer, no message is lost."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from streaming_model import streaming_model
from websocket_clients import WebsocketServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from websocket_clients import RawClient

pytestmark = pytest.mark.anyio
CLIENTS = 3
SEEDS = 100
ROUNDS = 5
REQUESTS = 9
INTERNAL = -32603
METHODS = (
    *["turn/start"] * 5, *["turn/steer"] * 4, *["turn/interrupt"] * 2, "thread/unsubscribe", *["thread/resume"] * 3,
    "thread/archive", "thread/unarchive", "thread/rollback", "thread/name/set", "thread/fork", "thread/read",
)  # fmt: skip


class Race:
    """What three clients do with one thread."""

    def __init__(self, clients: list[RawClient], thread: str, chance: random.Random) -> None:
        self.clients = clients
        self.thread = thread
        self.chance = chance
        self.turn = "none"
        self.texts: dict[str, tuple[RawClient, int]] = {}
        self.asked: list[tuple[RawClient, int, str]] = []

    def ask(self, method: str) -> None:
        client = self.chance.choice(self.clients)
        params: dict[str, Any] = {"threadId": self.thread}
        if method in ("turn/start", "turn/steer"):
            text = f"STREAM:{self.chance.getrandbits(60):x}:30:3"
            params["input"] = [{"type": "text", "text": text}]
        if method == "turn/steer":
            params["expectedTurnId"] = self.turn
        elif method == "turn/interrupt":
            params["turnId"] = self.turn
        elif method == "thread/rollback":
            params["numTurns"] = 1
        elif method == "thread/name/set":
            params["name"] = f"name {self.chance.random()}"
        number = client.begin(method, params)
        self.asked.append((client, number, method))
        if "input" in params:
            self.texts[text] = (client, number)

    def accepted(self) -> list[str]:
        """Return the texts of requests that were not refused."""
        return [text for text, (client, number) in self.texts.items() if "result" in client.answers[number][0]]

    def running(self, message: dict[str, Any]) -> None:
        """Note the running turn."""
        if message["method"] == "turn/started" and message["params"]["threadId"] == self.thread:
            self.turn = message["params"]["turn"]["id"]


def said(turns: list[dict[str, Any]]) -> Counter[str]:
    """Return the texts of the user, with how often they are there."""
    return Counter(
        part["text"]
        for turn in turns
        for item in turn["items"]
        if item["type"] == "userMessage"
        for part in item["content"]
    )


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[WebsocketServer]:
    with streaming_model() as url:
        async with WebsocketServer(tmp_path, url) as running:
            yield running
            assert "Traceback" not in running.log()
            assert "never retrieved" not in running.log()


@pytest.mark.parametrize("rollbacks", [False, True])
async def test_requests_in_any_order_are_answered_once_and_lose_nothing(
    server: WebsocketServer, rollbacks: bool
) -> None:
    clients = [await server.connect() for _ in range(CLIENTS)]
    methods = METHODS if rollbacks else [method for method in METHODS if method != "thread/rollback"]
    for seed in range(SEEDS):
        thread = await clients[0].thread()
        await clients[0].turn(thread, "first")
        await clients[0].completed(thread)
        race = Race(clients, thread, random.Random(seed))
        await run(race, methods)

        for client, number, method in race.asked:
            answer = client.answers[number]
            assert len(answer) == 1, (seed, method, answer)
            assert answer[0].get("error", {}).get("code") != INTERNAL, (seed, method, answer)
        await clients[0].call("thread/unarchive", threadId=thread)
        turns = await when_idle(clients[0], thread)
        found, accepted = said(turns), Counter([*race.accepted(), "first"])
        assert found <= accepted if rollbacks else found == accepted, seed
        await clients[0].turn(thread, "last")
        again = await when_idle(clients[0], thread)
        assert again[: len(turns)] == turns
        assert said(again[len(turns) :]) == Counter(["last"])
        read = await clients[1].ask("thread/read", threadId=thread, includeTurns=True)
        assert read["thread"]["turns"] == again
        await clients[0].ask("thread/unsubscribe", threadId=thread)


async def run(race: Race, methods: Sequence[str]) -> None:
    """Send requests from all clients, waiting for answers now and then, then unsubscribe all."""
    chance = race.chance
    for client in race.clients:
        client.messages.clear()
        client.handle = race.running
    for _ in range(ROUNDS):
        for _ in range(chance.randint(1, REQUESTS)):
            race.ask(chance.choice(methods))
        for _ in range(chance.choice((0, 1, 20))):
            await asyncio.sleep(0)
        if chance.random() < 0.5:
            await asyncio.gather(*(client.answer(number) for client, number, _ in race.asked))
        race.ask("thread/resume")
    await asyncio.gather(*(client.answer(number) for client, number, _ in race.asked))
    for client in race.clients:
        client.handle = None
        await client.call("thread/unsubscribe", threadId=race.thread)


async def when_idle(client: RawClient, thread: str) -> list[dict[str, Any]]:
    """Resume a thread and return its turns when none is running any more."""
    while True:
        client.messages.clear()
        resumed = (await client.ask("thread/resume", threadId=thread))["thread"]
        if resumed["status"]["type"] != "active":
            return list(resumed["turns"])
        await client.completed(thread)
