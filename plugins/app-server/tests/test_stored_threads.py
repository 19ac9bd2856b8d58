"""Stored threads over the wire: fork, take back, page, describe, list, archive."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from codex_testkit.memory.store import MemoryThreadStore

POLICY = {
    "type": "workspaceWrite",
    "writableRoots": ["/opt"],
    "networkAccess": True,
    "excludeSlashTmp": True,
    "excludeTmpdirEnvVar": False,
}
UNKNOWN = "00000000-0000-7000-8000-000000000000"


@pytest.fixture
def store() -> MemoryThreadStore:
    return MemoryThreadStore()


def ids(thread: dict[str, Any]) -> list[str]:
    return [turn["id"] for turn in thread["turns"]]


def said(request: Any) -> list[str]:
    """Return the prompts and answers that a model request has."""
    return [part["text"] for item in request.input if item["type"] == "message" for part in item["content"]]


async def test_a_fork_has_the_turns_and_settings_of_the_thread_but_goes_on_alone(connect, model, store) -> None:
    scripted = model("a", "b", "c")
    client = await connect(model=scripted, store=store)
    origin = await client.thread()
    await client.turn(
        origin, "one", sandboxPolicy=POLICY, approvalPolicy="never", approvalsReviewer="guardian_subagent"
    )

    forked = await client.result("thread/fork", {"threadId": origin})
    started = await client.next()
    fork = forked["thread"]["id"]
    await client.turn(fork, "two")
    await client.turn(origin, "three")

    read = await client.result("thread/read", {"threadId": origin, "includeTurns": True})
    assert started["method"] == "thread/started"
    assert started["params"]["thread"] == forked["thread"]
    assert fork != origin
    assert ids(forked["thread"]) == ids(read["thread"])[:1]
    assert (forked["approvalPolicy"], forked["approvalsReviewer"]) == ("never", "guardian_subagent")
    assert {key: forked["sandbox"][key] for key in POLICY} == POLICY
    assert said(scripted.requests[1]) == ["one", "a", "two"]
    assert said(scripted.requests[2]) == ["one", "a", "three"]


async def test_a_fork_that_was_never_used_keeps_what_it_was_given(connect, model, store) -> None:
    client = await connect(model=model("a"), store=store)
    origin = await client.thread()
    await client.turn(origin, "one", sandboxPolicy=POLICY, approvalPolicy="never")

    given = {"sandbox": "danger-full-access", "approvalPolicy": "untrusted", "model": "other"}
    fork = (await client.result("thread/fork", {"threadId": origin, **given}))["thread"]["id"]
    await client.until("thread/started")
    await client.result("thread/unsubscribe", {"threadId": fork})
    await client.until("thread/closed")
    resumed = await client.result("thread/resume", {"threadId": fork})

    assert resumed["sandbox"] == {"type": "dangerFullAccess"}
    assert (resumed["approvalPolicy"], resumed["model"]) == ("untrusted", "other")


async def test_a_running_turn_is_copied_as_interrupted(connect, model, store) -> None:
    client = await connect(model=model("a", [{"sleep": 60}], "c"), store=store)
    origin = await client.thread()
    await client.turn(origin, "one")
    await client.result("turn/start", {"threadId": origin, "input": [{"type": "text", "text": "two"}]})
    await client.until("item/completed")

    forked = (await client.result("thread/fork", {"threadId": origin}))["thread"]
    read = (await client.result("thread/read", {"threadId": origin, "includeTurns": True}))["thread"]

    assert [turn["status"] for turn in forked["turns"]] == ["completed", "interrupted"]
    assert [turn["status"] for turn in read["turns"]] == ["completed", "inProgress"]
    assert ids(forked) == ids(read)
    assert forked["status"] == {"type": "idle"}


async def test_a_fork_may_end_at_a_turn_or_before_one(connect, model, store) -> None:
    scripted = model("a", "b", "c", "d")
    client = await connect(model=scripted, store=store)
    origin = await client.thread()
    for text in ("one", "two", "three"):
        await client.turn(origin, text)
    turns = ids((await client.result("thread/read", {"threadId": origin, "includeTurns": True}))["thread"])

    until = (await client.result("thread/fork", {"threadId": origin, "lastTurnId": turns[1]}))["thread"]
    before = (await client.result("thread/fork", {"threadId": origin, "beforeTurnId": turns[1]}))["thread"]
    bare = (await client.result("thread/fork", {"threadId": origin, "excludeTurns": True}))["thread"]
    await client.turn(until["id"], "four")

    assert (ids(until), ids(before), bare["turns"]) == (turns[:2], turns[:1], [])
    assert said(scripted.requests[-1]) == ["one", "a", "two", "b", "four"]
    assert await client.refusal("thread/fork", {"threadId": origin, "lastTurnId": "zz"}) == (
        -32600,
        "turn not found: zz",
    )


async def test_an_ephemeral_fork_is_stored_nowhere(connect, model, store) -> None:
    scripted = model("a", "b")
    client = await connect(model=scripted, store=store)
    origin = await client.thread()
    await client.turn(origin, "one")

    fork = (await client.result("thread/fork", {"threadId": origin, "ephemeral": True}))["thread"]
    await client.until("thread/started")
    await client.turn(fork["id"], "two")

    assert (fork["path"], fork["ephemeral"], len(fork["turns"])) == (None, True, 1)
    assert list(store.threads) == [origin]
    assert said(scripted.requests[-1]) == ["one", "a", "two"]
    update = {"threadId": fork["id"], "gitInfo": {"branch": "b"}}
    told = f"ephemeral thread does not support metadata updates: {fork['id']}"
    assert await client.refusal("thread/metadata/update", update) == (-32600, told)


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"threadId": "0-0"}, "invalid thread id: invalid group count: expected 5, found 2"),
        ({"threadId": UNKNOWN}, f"no rollout found for thread id {UNKNOWN}"),
    ],
)
async def test_what_cannot_be_forked_is_told(connect, model, store, params, told) -> None:
    client = await connect(model=model("a"), store=store)
    fresh = await client.thread()

    assert await client.refusal("thread/fork", params) == (-32600, told)
    assert await client.refusal("thread/fork", {"threadId": fresh}) == (
        -32600,
        f"no rollout found for thread id {fresh}",
    )


async def test_turns_are_taken_back_for_the_client_and_the_model_alike(connect, model, store) -> None:
    scripted = model("a", "b", "c", "d")
    client = await connect(model=scripted, store=store)
    thread = await client.thread()
    for text in ("one", "two", "three"):
        await client.turn(thread, text)

    left = (await client.result("thread/rollback", {"threadId": thread, "numTurns": 2}))["thread"]
    await client.turn(thread, "four")
    await client.result("thread/unsubscribe", {"threadId": thread})
    await client.until("thread/closed")
    resumed = (await client.result("thread/resume", {"threadId": thread}))["thread"]
    none = (await client.result("thread/rollback", {"threadId": thread, "numTurns": 9}))["thread"]

    assert len(left["turns"]) == 1
    assert said(scripted.requests[-1]) == ["one", "a", "four"]
    assert ids(resumed)[:1] == ids(left)
    assert len(resumed["turns"]) == 2
    assert none["turns"] == []


async def test_rollbacks_that_cannot_be_are_refused(connect, model, store) -> None:
    client = await connect(model=model("a", [{"sleep": 60}]), store=store)
    thread = await client.thread()

    async def refusal(thread_id: str, count: int) -> str:
        return (await client.refusal("thread/rollback", {"threadId": thread_id, "numTurns": count}))[1]

    assert await refusal(thread, 0) == "numTurns must be >= 1"
    assert await refusal(UNKNOWN, 1) == f"thread not found: {UNKNOWN}"
    assert await refusal(thread, 1) == f"no rollout found for thread id {thread}"
    await client.turn(thread, "one")
    await client.result("turn/start", {"threadId": thread, "input": [{"type": "text", "text": "long"}]})
    assert await refusal(thread, 1) == "Cannot rollback while a turn is in progress."


async def test_a_turn_that_is_started_during_a_rollback_follows_it(connect, model, store) -> None:
    scripted = model("a", "b")
    client = await connect(model=scripted, store=store)
    thread = await client.thread()
    await client.turn(thread, "one")

    asked = {"threadId": thread, "input": [{"type": "text", "text": "two"}]}
    client.send(json.dumps({"method": "thread/rollback", "id": 900, "params": {"threadId": thread, "numTurns": 1}}))
    await client.result("turn/start", asked)
    await client.until("turn/completed")

    assert said(scripted.requests[-1]) == ["two"]
    read = await client.result("thread/read", {"threadId": thread, "includeTurns": True})
    assert len(read["thread"]["turns"]) == 1


async def test_a_thread_is_reverted_to_a_turn_and_a_running_one_interrupted(connect, model, store) -> None:
    scripted = model("a", "b", [{"sleep": 60}], "d")
    client = await connect(model=scripted, store=store)
    thread = await client.thread()
    await client.turn(thread, "one")
    await client.turn(thread, "two")
    turns = ids((await client.result("thread/read", {"threadId": thread, "includeTurns": True}))["thread"])
    await client.result("turn/start", {"threadId": thread, "input": [{"type": "text", "text": "long"}]})
    await client.until("item/completed")

    reverted = await client.result("thread/revert", {"threadId": thread, "beforeTurnId": turns[1]})
    ended = [message for message in client.last if message["method"] == "turn/completed"]
    told = await client.next()
    page = await client.result("thread/turns/list", {"threadId": thread, "cursor": reverted["turnsBackwardsCursor"]})
    await client.turn(thread, "three")

    assert ended[0]["params"]["turn"]["status"] == "interrupted"
    assert told == {"method": "thread/reverted", "params": {"threadId": thread}}
    assert (reverted["thread"]["turns"], reverted["itemsBackwardsCursor"]) == ([], None)
    assert [turn["id"] for turn in page["data"]] == turns[:1]
    assert said(scripted.requests[-1]) == ["one", "a", "three"]
    refused = await client.refusal("thread/revert", {"threadId": thread, "beforeTurnId": turns[1]})
    assert refused == (-32600, f"turn not found: {turns[1]}")


async def test_turns_are_listed_in_pages_in_both_directions(connect, model, store) -> None:
    client = await connect(model=model(*[[{"reason": "hm"}, {"say": text}] for text in "abcde"]), store=store)
    thread = await client.thread()
    for text in "12345":
        await client.turn(thread, text)
    turns = ids((await client.result("thread/read", {"threadId": thread, "includeTurns": True}))["thread"])

    async def page(**params: Any) -> tuple[list[str], dict[str, Any]]:
        found = await client.result("thread/turns/list", {"threadId": thread, **params})
        return [turn["id"] for turn in found["data"]], found

    newest, first = await page(limit=2)
    older, second = await page(limit=2, cursor=first["nextCursor"])
    back, _ = await page(cursor=second["backwardsCursor"], sortDirection="asc")
    last, third = await page(cursor=second["nextCursor"])
    _, full = await page(itemsView="full", limit=1)
    _, bare = await page(itemsView="notLoaded", limit=1)

    assert (newest, older, last) == ([turns[4], turns[3]], [turns[2], turns[1]], [turns[0]])
    assert back == turns[2:]
    assert third["nextCursor"] is None
    assert [item["type"] for item in first["data"][0]["items"]] == ["userMessage", "agentMessage"]
    assert [item["type"] for item in full["data"][0]["items"]] == ["userMessage", "reasoning", "agentMessage"]
    assert bare["data"][0]["items"] == []
    for cursor in ("zz", "{}", '{"turnId":"zz","includeAnchor":true}', "[]"):
        refused = await client.refusal("thread/turns/list", {"threadId": thread, "cursor": cursor})
        assert refused == (-32600, f"invalid cursor: {cursor}")
    assert await client.refusal("thread/turns/list", {"threadId": UNKNOWN}) == (
        -32600,
        f"thread not loaded: {UNKNOWN}",
    )


async def test_the_work_tree_that_is_shown_of_a_thread_can_be_changed(connect, model, store) -> None:
    client = await connect(model=model("a"), store=store)
    thread = await client.thread()
    await client.turn(thread, "one")

    async def change(**git: Any) -> Any:
        answer = await client.result("thread/metadata/update", {"threadId": thread, "gitInfo": git})
        return answer["thread"]["gitInfo"]

    async def refusal(params: Any) -> str:
        return (await client.refusal("thread/metadata/update", {"threadId": thread, **params}))[1]

    assert await change(branch=" topic ", sha="abc") == {"sha": "abc", "branch": "topic", "originUrl": None}
    assert await change(sha=None) == {"sha": None, "branch": "topic", "originUrl": None}
    [listed] = (await client.result("thread/list", {}))["data"]
    assert listed["gitInfo"]["branch"] == "topic"
    assert await refusal({}) == "gitInfo must include at least one field"
    assert await refusal({"gitInfo": {}}) == "gitInfo must include at least one field"
    assert await refusal({"gitInfo": {"branch": " "}}) == "gitInfo.branch must not be empty"
    assert await refusal({"threadId": UNKNOWN, "gitInfo": {"sha": "a"}}) == f"thread not found: {UNKNOWN}"


async def test_threads_are_listed_by_what_newer_clients_ask_for_too(connect, model, store, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    client = await connect(model=model("a", "b"), store=store)
    first, second = await client.thread(), await client.thread(cwd=str(elsewhere))
    await client.turn(first, "one")
    await client.turn(second, "two")

    async def listed(**params: Any) -> list[str]:
        return [thread["id"] for thread in (await client.result("thread/list", params))["data"]]

    assert await listed(sortDirection="asc") == [first, second]
    assert set(await listed(sortKey="recency_at")) == {first, second}
    assert await listed(cwd=[str(elsewhere)]) == await listed(cwd=str(elsewhere)) == [second]
    assert await listed(searchTerm="TWO") == [second]
    assert await listed(sourceKinds=["exec"]) == []
    assert await listed(modelProviders=["nosuch"]) == []
    code, message = await client.refusal("thread/list", {"sortKey": "size"})
    assert code == -32600
    assert message.startswith("Invalid request: unknown variant `size`")
    assert await client.refusal("thread/list", {"cursor": "zz"}) == (-32600, "invalid cursor: zz")


async def test_a_directory_is_found_however_its_path_is_written(connect, model, store, tmp_path: Path) -> None:
    folder = tmp_path / "ws"
    folder.mkdir()
    client = await connect(model=model("a", "b"), store=store)
    thread_id = await client.thread(cwd=str(folder))
    await client.turn(thread_id, "one")

    async def listed(cwd: str | list[str]) -> list[str]:
        return [thread["id"] for thread in (await client.result("thread/list", {"cwd": cwd}))["data"]]

    for cwd in (
        f"{folder}/",
        f"{folder}/.",
        f"{folder}//",
        f"{tmp_path}//ws",
        f"{tmp_path}/./ws",
        ["/x", f"{folder}/"],
    ):
        assert await listed(cwd) == [thread_id], cwd
    for cwd in (f"{folder}/x/..", str(folder)[1:], "ws", ".", ""):
        assert await listed(cwd) == [], cwd


async def test_the_shortest_page_has_one_thread(connect, model, store) -> None:
    client = await connect(model=model("a", "b"), store=store)
    for _ in range(2):
        await client.turn(await client.thread())

    page = await client.result("thread/list", {"limit": 0})

    assert len(page["data"]) == 1
    assert len((await client.result("thread/list", {"limit": 0, "cursor": page["nextCursor"]}))["data"]) == 1


async def test_turns_are_not_read_before_the_first_message(connect, model, store) -> None:
    client = await connect(model=model("a"), store=store)
    thread_id = await client.thread()

    assert (await client.result("thread/read", {"threadId": thread_id}))["thread"]["turns"] == []
    assert await client.refusal("thread/read", {"threadId": thread_id, "includeTurns": True}) == (
        -32600,
        f"thread {thread_id} is not materialized yet; includeTurns is unavailable before first user message",
    )
    await client.turn(thread_id)
    await client.result("thread/rollback", {"threadId": thread_id, "numTurns": 1})
    read = await client.result("thread/read", {"threadId": thread_id, "includeTurns": True})
    assert read["thread"]["turns"] == []


async def test_an_ephemeral_thread_is_not_rolled_back(connect, model, store) -> None:
    client = await connect(model=model("a"), store=store)
    thread_id = await client.thread(ephemeral=True)
    await client.turn(thread_id)

    assert await client.refusal("thread/rollback", {"threadId": thread_id, "numTurns": 1}) == (
        -32600,
        "thread rollback requires a persisted rollout path",
    )


async def test_loaded_threads_are_listed_from_the_id_after_the_cursor(connect, model, store) -> None:
    client = await connect(model=model(), store=store)
    threads = sorted([await client.thread() for _ in range(3)])

    async def page(**params: Any) -> tuple[list[str], str | None]:
        found = await client.result("thread/loaded/list", params)
        return found["data"], found["nextCursor"]

    assert await page() == (threads, None)
    assert await page(limit=0) == (threads[:1], threads[0])
    assert await page(limit=2, cursor=threads[0]) == (threads[1:], None)
    assert await page(cursor=UNKNOWN) == (threads, None)
    assert await client.refusal("thread/loaded/list", {"cursor": "zz"}) == (-32600, "invalid cursor: zz")


async def test_archiving_interrupts_a_turn_and_tells_all_clients(connect, model, store) -> None:
    client = await connect(model=model("a", [{"sleep": 60}], "c"), store=store)
    other = await connect()
    thread = await client.thread()
    await client.turn(thread, "one")
    await client.result("turn/start", {"threadId": thread, "input": [{"type": "text", "text": "long"}]})
    await client.until("item/completed")

    assert await client.result("thread/archive", {"threadId": thread}) == {}
    before = client.last
    after = [await client.next()]
    async with asyncio.timeout(10):
        seen = await other.until("thread/archived")

    assert [message["method"] for message in before][-3:] == [
        "thread/status/changed", "turn/completed", "thread/status/changed",
    ]  # fmt: skip
    assert before[-2]["params"]["turn"]["status"] == "interrupted"
    assert before[-1]["params"]["status"] == {"type": "notLoaded"}
    assert after == [{"method": "thread/archived", "params": {"threadId": thread}}]
    assert seen[-1]["params"] == {"threadId": thread}
    for method in ("thread/resume", "thread/fork", "thread/archive"):
        assert await client.refusal(method, {"threadId": thread}) == (
            -32600,
            f"no rollout found for thread id {thread}",
        )
    assert (await client.result("thread/read", {"threadId": thread}))["thread"]["preview"] == "one"
    restored = await client.result("thread/unarchive", {"threadId": thread})
    assert restored["thread"]["status"] == {"type": "notLoaded"}
    assert (await client.next())["method"] == "thread/unarchived"
    resumed = await client.result("thread/resume", {"threadId": thread})
    assert [turn["status"] for turn in resumed["thread"]["turns"]] == ["completed", "interrupted"]
    assert (await client.turn(thread, "on"))[-1]["params"]["turn"]["status"] == "completed"


async def test_a_name_is_given_to_threads_that_exist_only(connect, model, store) -> None:
    client = await connect(model=model("a"), store=store)
    thread = await client.thread()
    await client.turn(thread, "one")
    await client.result("thread/unsubscribe", {"threadId": thread})
    await client.until("thread/closed")

    assert await client.result("thread/name/set", {"threadId": thread, "name": " Mine "}) == {}

    told = await client.next()
    assert told["params"] == {"threadId": thread, "threadName": "Mine"}
    assert (await client.result("thread/read", {"threadId": thread}))["thread"]["name"] == "Mine"
    assert await client.refusal("thread/name/set", {"threadId": UNKNOWN, "name": "x"}) == (
        -32600,
        f"thread not found: {UNKNOWN}",
    )
