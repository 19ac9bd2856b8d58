"""Turns whose clients leave: work goes on, questions wait for those who come back."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import pytest

from codex_hookspecs import Tool, hookimpl

pytestmark = pytest.mark.anyio

COMMAND = "item/commandExecution/requestApproval"


class Asking:
    """A plugin with a tool that asks the clients, and one that waits for the test."""

    def __init__(self, method: str = COMMAND) -> None:
        self.answers: list[Any] = []
        self.open = asyncio.Event()
        self._method = method

    @hookimpl
    def tools(self, thread: Any) -> list[Tool]:
        async def ask() -> str:
            """Ask."""
            params = {"threadId": thread.id, "turnId": thread.active_turn_id, "itemId": "i"}
            params |= {"callId": "i", "tool": "ask", "arguments": {}}
            self.answers.append(await thread.clients.request_handler(self._method, params))
            return "asked"

        async def wait() -> str:
            """Wait."""
            await self.open.wait()
            return "waited"

        return [Tool.from_function(ask), Tool.from_function(wait)]


@pytest.fixture
def asking() -> Asking:
    return Asking()


async def begin(client: Any, thread_id: str) -> str:
    """Start a turn and return its id."""
    started = await client.result("turn/start", {"threadId": thread_id, "input": [{"type": "text", "text": "go"}]})
    return started["turn"]["id"]


async def leave(client: Any) -> None:
    await client.leave()
    client.transport.to_server.put_nowait(None)


def answer(client: Any, question: dict[str, Any], decision: str = "accept") -> None:
    client.send(json.dumps({"id": question["id"], "result": {"decision": decision}}))


def methods(messages: list[dict[str, Any]]) -> list[str]:
    return [message["method"] for message in messages]


@pytest.mark.parametrize("how", ["disconnect", "unsubscribe"])
async def test_a_turn_goes_on_to_its_end_without_clients_and_then_its_thread_is_unloaded(
    connect, model, asking: Asking, how: str
) -> None:
    client = await connect(plugins=[asking], model=model([{"call": "wait", "args": {}}], "end"))
    other = await connect()
    thread_id = await client.thread()
    await begin(client, thread_id)
    await client.until("item/started")

    if how == "disconnect":
        await leave(client)
    else:
        assert await client.result("thread/unsubscribe", {"threadId": thread_id}) == {"status": "unsubscribed"}
    during = await other.result("thread/loaded/list", {})
    other.last.clear()
    asking.open.set()
    messages = await other.until("thread/closed")
    stored = await other.result("thread/read", {"threadId": thread_id, "includeTurns": True})

    assert during["data"] == [thread_id]
    assert [message["params"]["status"]["type"] for message in messages[-3:-1]] == ["idle", "notLoaded"]
    assert [turn["status"] for turn in stored["thread"]["turns"]] == ["completed"]
    assert stored["thread"]["turns"][0]["items"][-1]["text"] == "end"


async def test_a_client_that_comes_back_keeps_the_thread_loaded(connect, model, asking: Asking) -> None:
    client = await connect(plugins=[asking], model=model([{"call": "wait", "args": {}}], "end", "more"))
    other = await connect()
    thread_id = await client.thread()
    await begin(client, thread_id)
    await client.until("item/started")
    await leave(client)

    resumed = await other.result("thread/resume", {"threadId": thread_id})
    asking.open.set()
    messages = await other.until("turn/completed")

    assert resumed["thread"]["status"] == {"type": "active", "activeFlags": []}
    assert resumed["thread"]["turns"][-1]["status"] == "inProgress"
    assert messages[-1]["params"]["turn"]["status"] == "completed"
    assert (await other.turn(thread_id))[-1]["params"]["turn"]["status"] == "completed"


async def test_a_question_waits_for_a_client_that_comes_back_and_keeps_its_id(connect, model, asking: Asking) -> None:
    client = await connect(plugins=[asking], model=model([{"call": "ask", "args": {}}], "end"))
    other = await connect()
    thread_id = await client.thread()
    await begin(client, thread_id)
    first = (await client.until(COMMAND))[-1]
    await leave(client)

    waiting = {"type": "active", "activeFlags": ["waitingOnApproval"]}
    read = await other.result("thread/read", {"threadId": thread_id})
    listed = await other.result("thread/list", {})
    resumed = await other.result("thread/resume", {"threadId": thread_id})
    again = await other.next()
    answer(other, again)
    messages = await other.until("turn/completed")

    assert read["thread"]["status"] == waiting
    assert [thread["status"] for thread in listed["data"]] == [waiting]
    assert resumed["thread"]["status"] == waiting
    assert again == first
    assert methods(messages)[:2] == ["serverRequest/resolved", "thread/status/changed"]
    assert asking.answers == [{"decision": "accept"}]


async def test_a_question_asked_in_the_absence_of_clients_waits_for_one(connect, model, asking: Asking) -> None:
    client = await connect(
        plugins=[asking], model=model([{"call": "wait", "args": {}}], [{"call": "ask", "args": {}}], "end")
    )
    other = await connect()
    thread_id = await client.thread()
    await begin(client, thread_id)
    await client.until("item/started")
    await leave(client)
    asking.open.set()
    while (await other.until("thread/status/changed"))[-1]["params"]["status"].get("activeFlags") != [
        "waitingOnApproval"
    ]:
        pass

    await other.result("thread/resume", {"threadId": thread_id})
    answer(other, (await other.until(COMMAND))[-1])
    await other.until("turn/completed")

    assert asking.answers == [{"decision": "accept"}]


async def test_a_question_nobody_comes_back_for_ends_the_turn(
    connect, model, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await connect(
        plugins=[asking],
        model=model([{"call": "ask", "args": {}}], "end"),
        config={"plugins.app-server.unattended_seconds": 0.2},
    )
    other = await connect()
    thread_id = await client.thread()
    await begin(client, thread_id)
    await client.until(COMMAND)

    logged: list[str] = []
    log = logging.getLogger("codex.app-server")
    monkeypatch.setattr(log, "warning", lambda text, *values: logged.append(text % values))

    await leave(client)
    await other.until("thread/closed")
    stored = await other.result("thread/read", {"threadId": thread_id, "includeTurns": True})

    assert [turn["status"] for turn in stored["thread"]["turns"]] == ["interrupted"]
    assert asking.answers == []
    assert f"no client came back to answer {COMMAND} within 0.2 s" in "".join(logged)


async def test_all_subscribers_are_asked_and_told_of_the_first_answer(connect, model, asking: Asking) -> None:
    first = await connect(
        plugins=[asking], model=model([{"call": "ask", "args": {}}], [{"call": "ask", "args": {}}], "end")
    )
    thread_id = await first.thread()
    await begin(first, thread_id)
    question = (await first.until(COMMAND))[-1]
    second = await connect()
    await second.result("thread/resume", {"threadId": thread_id})
    assert (await second.until(COMMAND))[-1] == question

    answer(second, question, "decline")
    mine = await first.until(COMMAND)
    theirs = await second.until(COMMAND)
    answer(first, question)  # too late
    answer(first, mine[-1], "accept")
    await first.until("turn/completed")

    for messages in (mine, theirs):
        assert messages[0]["method"] == "serverRequest/resolved"
        assert messages[0]["params"] == {"threadId": thread_id, "requestId": question["id"]}
        assert messages[-1]["id"] == question["id"] + 1
    assert asking.answers == [{"decision": "decline"}, {"decision": "accept"}]


async def test_a_client_that_leaves_takes_no_question_of_others_along(connect, model, asking: Asking) -> None:
    first = await connect(plugins=[asking], model=model([{"call": "ask", "args": {}}], "end"))
    thread_id = await first.thread()
    second = await connect()
    await begin(first, thread_id)
    await second.result("thread/resume", {"threadId": thread_id})
    question = (await second.until(COMMAND))[-1]

    await leave(first)
    answer(second, question)
    await second.until("turn/completed")

    assert asking.answers == [{"decision": "accept"}]


async def test_a_call_of_a_clients_tool_is_work_and_no_question(connect, model) -> None:
    asking = Asking("item/tool/call")
    client = await connect(plugins=[asking], model=model([{"call": "ask", "args": {}}], "end"))
    thread_id = await client.thread()
    await begin(client, thread_id)
    before = await client.until("item/tool/call")
    client.send(json.dumps({"id": before[-1]["id"], "result": {"success": True}}))
    after = await client.until("turn/completed")

    flags = [message["params"]["status"].get("activeFlags") for message in before if "status" in message["params"]]
    assert flags == [[]]
    assert "serverRequest/resolved" not in methods(after)
