"""Clients of ``codex app-server`` search for files by name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from app_server_client import ServerProcess

pytestmark = pytest.mark.anyio

SEARCH = "fuzzyFileSearch"
INVALID, INTERNAL = -32600, -32603


@pytest.fixture
def space(tmp_path: Path) -> Path:
    path = tmp_path / "ws"
    (path / "src/héab").mkdir(parents=True)
    for name in ("src/abc.py", "src/héab/abc", "other"):
        (path / name).touch()
    return path


@pytest.fixture
async def client(tmp_path: Path, space: Path) -> AsyncIterator[ServerProcess]:
    async with ServerProcess(tmp_path) as found:
        yield found


async def test_one_search_gives_the_best_matches(client: ServerProcess, space: Path) -> None:
    found = await client.call(SEARCH, query="abc", roots=[str(space)], cancellationToken=None)

    assert found["files"] == [
        {
            "root": str(space), "path": path, "match_type": "file", "file_name": path.split("/")[-1],
            "score": 84, "indices": places,
        }
        for path, places in (("src/abc.py", [4, 5, 6]), ("src/héab/abc", [9, 10, 11]))
    ]  # fmt: skip
    assert (await client.call(SEARCH, query="src", roots=["."]))["files"][0]["match_type"] == "directory"
    for nothing in ({"query": "", "roots": ["."]}, {"query": "abc", "roots": []}, {"query": "a", "roots": ["gone"]}):
        assert await client.call(SEARCH, **nothing) == {"files": []}


async def test_a_later_search_with_the_same_token_ends_an_earlier_one(client: ServerProcess) -> None:
    sent = [
        await client.send(SEARCH, {"query": "abc", "roots": ["."] * 10, "cancellationToken": "t"}) for _ in range(20)
    ]

    answers = [await client.answer(ident) for ident in sent]

    assert all("result" in answer for answer in answers)
    assert answers[-1]["result"]["files"]


async def test_a_session_answers_one_query_after_another(client: ServerProcess, space: Path) -> None:
    await client.call(f"{SEARCH}/sessionStart", sessionId="s", roots=[str(space)])
    updated, completed = f"{SEARCH}/sessionUpdated", f"{SEARCH}/sessionCompleted"

    assert await client.notification(updated) == {"sessionId": "s", "query": "", "files": []}
    assert await client.notification(completed) == {"sessionId": "s"}
    for query, count in (("abc", 2), ("abcp", 1), ("zzz", 0), ("", 0)):
        await client.call(f"{SEARCH}/sessionUpdate", sessionId="s", query=query)
        found = await client.notification(updated)
        assert (found["query"], len(found["files"])) == (query, count)
        await client.notification(completed)
    await client.call(f"{SEARCH}/sessionStop", sessionId="s")
    text = "fuzzy file search session not found: s"
    assert await client.refusal(f"{SEARCH}/sessionUpdate", sessionId="s", query="a") == (INVALID, text)


async def test_of_queries_in_quick_succession_the_last_is_answered(client: ServerProcess, space: Path) -> None:
    await client.call(f"{SEARCH}/sessionStart", sessionId="s", roots=[str(space)])

    for _ in range(50):
        await client.send(f"{SEARCH}/sessionUpdate", {"sessionId": "s", "query": "a"})
    await client.call(f"{SEARCH}/sessionUpdate", sessionId="s", query="abc")

    async with asyncio.timeout(30):
        while (await client.notification(f"{SEARCH}/sessionUpdated"))["query"] != "abc":
            pass


async def test_sessions_that_make_no_sense_are_refused(client: ServerProcess) -> None:
    start = f"{SEARCH}/sessionStart"

    assert await client.refusal(start, sessionId="", roots=["."]) == (INVALID, "sessionId must not be empty")
    text = "failed to start fuzzy file search session: at least one search directory is required"
    assert await client.refusal(start, sessionId="s", roots=[]) == (INTERNAL, text)
    assert await client.call(f"{SEARCH}/sessionStop", sessionId="unknown") == {}
    for number in range(16):
        await client.call(start, sessionId=str(number), roots=["."])
    await client.call(start, sessionId="0", roots=["."])
    code, message = await client.refusal(start, sessionId="more", roots=["."])
    assert (code, message) == (INVALID, "too many search sessions: 16 are allowed per connection")
