"""Clients of the app-server name threads by their files, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from app_server_client import ServerProcess

from codex_testkit.servers.responses import ResponsesServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("this_machine")]
GO = [{"type": "text", "text": "the question"}]


@pytest.fixture
def model() -> Iterator[ResponsesServer]:
    with ResponsesServer() as server:
        yield server


async def test_a_path_takes_precedence_over_an_id(tmp_path: Path, model: ResponsesServer) -> None:
    async with ServerProcess(tmp_path, model.url) as client:
        origin = await client.thread()
        await client.ask("turn/start", {"threadId": origin, "input": GO})
        await client.until("turn/completed")
        path = (await client.ask("thread/read", {"threadId": origin}))["thread"]["path"]
        missing = str(tmp_path / "missing.jsonl")

        fork = (await client.ask("thread/fork", {"threadId": "nonsense", "path": path}))["thread"]
        resumed = (await client.ask("thread/resume", {"threadId": "nonsense", "path": path}))["thread"]
        refused = await client.ask("thread/resume", {"threadId": origin, "path": missing})

    assert (len(fork["turns"]), resumed["id"]) == (1, origin)
    assert fork["path"] not in (None, path)
    told = f"failed to load rollout `{missing}`: No such file or directory (os error 2)"
    assert (refused["code"], refused["message"]) == (-32600, told)


async def test_a_stored_thread_is_described_in_the_older_api(tmp_path: Path, model: ResponsesServer) -> None:
    async with ServerProcess(tmp_path, model.url) as client:
        thread = (await client.ask("thread/start", {}))["thread"]
        fresh = await client.ask("getConversationSummary", {"conversationId": thread["id"]})
        await client.ask("turn/start", {"threadId": thread["id"], "input": GO})
        await client.until("turn/completed")

        by_id = await client.ask("getConversationSummary", {"conversationId": thread["id"]})
        by_path = await client.ask("getConversationSummary", {"rolloutPath": thread["path"]})
        absent = await client.ask("getConversationSummary", {"rolloutPath": "/nope/x.jsonl"})
        bare = await client.ask("getConversationSummary", {})

    assert fresh["message"] == f"no rollout found for conversation id {thread['id']}"
    assert by_id == by_path
    assert by_id["summary"]["preview"] == "the question"
    assert by_id["summary"]["path"] == thread["path"]
    assert by_id["summary"]["timestamp"].endswith("Z")
    assert absent["code"] == -32603
    assert absent["message"].startswith("failed to load conversation summary from /nope/x.jsonl: ")
    assert bare["message"].startswith("Invalid request: data did not match")
