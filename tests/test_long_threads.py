"""A turn in a long thread stores, reads and sends to its client what an early one did."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from streaming_model import streaming_model, wanted
from websocket_clients import WebsocketServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.anyio
TURNS = 300
EDGE = 20


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[WebsocketServer]:
    with streaming_model() as url:
        async with WebsocketServer(tmp_path, url) as running:
            yield running


def transferred(server: WebsocketServer) -> dict[str, int]:
    """Return how many bytes of files a server has read and written so far, and how often."""
    text = Path(f"/proc/{server.pid}/io").read_text()
    return {name: int(re.findall(rf"{name}: (\d+)", text)[0]) for name in ("rchar", "wchar", "syscr", "syscw")}


def stored(server: WebsocketServer) -> int:
    return sum(path.stat().st_size for path in (server.home / "sessions").rglob("*.jsonl"))


async def test_what_a_turn_stores_reads_and_sends_does_not_grow(server: WebsocketServer) -> None:
    client = await server.connect()
    thread = await client.thread()
    sizes, counts = [stored(server)], [transferred(server)]
    sent: list[int] = []
    for number in range(TURNS):
        client.messages.clear()
        await client.turn(thread, wanted(f"t{number:03}", 3))
        await client.completed(thread)
        sizes.append(stored(server))
        counts.append(transferred(server))
        sent.append(len(client.messages))

    grown = [after - before for before, after in itertools.pairwise(sizes)]
    # The number of tokens so far gets longer.
    assert max(grown[-EDGE:]) < max(grown[EDGE : 2 * EDGE]) + 20
    assert set(sent[-EDGE:]) == set(sent[EDGE : 2 * EDGE])
    for name in counts[0]:
        each = [after[name] - before[name] for before, after in itertools.pairwise(counts)]
        # The index of threads is written in the background, so that its share may fall into the next turn.
        assert sum(each[-EDGE:]) <= sum(each[EDGE : 2 * EDGE]) + 2 * max(each[EDGE : 2 * EDGE])
