"""Clients of an app-server that was killed in the middle of their turns resume their threads and miss nothing."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from app_server_client import Message, ServerProcess

from codex_testkit.servers.responses import ResponsesServer

THREADS = 20


def announced_items(messages: list[Message]) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the items that were announced as completed, by thread and turn, then by id."""
    found: dict[tuple[str, str], dict[str, Any]] = defaultdict(dict)
    for message in messages:
        if message.get("method") == "item/completed":
            params = message["params"]
            found[params["threadId"], params["turnId"]][params["item"]["id"]] = params["item"]
    return found


def script(*rounds: Any) -> list[dict[str, Any]]:
    return [{"type": "text", "text": f"MOCK:{json.dumps(rounds)}"}]


@pytest.mark.anyio
async def test_every_thread_comes_back_with_all_items_that_were_announced(tmp_path: Path) -> None:
    steps = [{"reason": "hm"}, {"say": "a", "phase": "commentary"}, {"delay": 0.01}, {"sh": "echo hi"}]
    rounds = [steps for _ in range(200)]
    policy = {"type": "workspaceWrite", "writableRoots": ["/opt"], "networkAccess": True, "excludeSlashTmp": True}
    with ResponsesServer() as model:
        async with ServerProcess(tmp_path, model.url, compare=False) as server:
            firsts: dict[str, str] = {}
            for number in range(THREADS):
                opened = await server.call(
                    "thread/start", sandbox="danger-full-access", approvalPolicy="never", cwd=str(server.ws)
                )
                thread = opened["thread"]["id"]
                first = await server.call("turn/start", threadId=thread, input=script([{"say": f"first {number}"}]))
                await server.until("turn/completed")
                firsts[thread] = first["turn"]["id"]
            started: dict[str, str] = {}
            for thread, before in firsts.items():
                answer = await server.call("turn/start", threadId=thread, input=script(*rounds))
                assert answer["turn"]["id"] != before
                started[thread] = answer["turn"]["id"]
            busy = set(started)
            while busy:
                params = (await server.until("item/completed"))["params"]
                if params["item"]["type"] == "commandExecution":
                    busy.discard(params["threadId"])
            await server.kill()
        announced = announced_items(server.messages)
        assert {turn for _, turn in announced} >= set(started.values())

        async with ServerProcess(tmp_path, model.url) as again:
            for thread, running in started.items():
                resumed = await again.call("thread/resume", threadId=thread)
                turns = resumed["thread"]["turns"]
                read = await again.call("thread/read", threadId=thread, includeTurns=True)
                assert read["thread"]["turns"] == turns
                assert [(turn["status"]) for turn in turns] == ["completed", "interrupted"]
                assert turns[1]["id"] == running
                for turn in turns:
                    found = {item["id"]: item for item in turn["items"]}
                    for ident, item in announced[thread, turn["id"]].items():
                        assert found[ident] == item
                assert resumed["sandbox"] == {"type": "dangerFullAccess"}
                assert resumed["approvalPolicy"] == "never"
            thread = next(iter(started))
            await again.call(
                "turn/start", threadId=thread, input=script([{"say": "on"}]), sandboxPolicy=policy,
                approvalPolicy="untrusted", cwd="/", model="other", effort="high",
            )  # fmt: skip
            await again.until("turn/completed")
            await again.kill()

        async with ServerProcess(tmp_path, model.url) as third:
            resumed = await third.call("thread/resume", threadId=thread)
            assert {key: resumed["sandbox"][key] for key in policy} == policy
            kept = {key: resumed[key] for key in ("approvalPolicy", "cwd", "model", "reasoningEffort")}
            assert kept == {"approvalPolicy": "untrusted", "cwd": "/", "model": "other", "reasoningEffort": "high"}
            async with ServerProcess(tmp_path, model.url) as other:
                _code, refused = await other.refusal("thread/resume", threadId=thread)
                assert f"thread {thread} is in use: process {third.process.pid} is writing" in refused
                _code, refused = await other.refusal("thread/archive", threadId=thread)
                assert f"thread {thread} is in use: process {third.process.pid} is writing" in refused
                assert await other.call("thread/name/set", threadId=thread, name=" Mine ") == {}
            [named] = (await third.call("thread/list", searchTerm="mine"))["data"]
            assert (named["id"], named["name"]) == (thread, "Mine")
