"""Rollouts without events for the start and end of turns, as older versions and importing programs write them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import pytest

from codex_hookspecs.protocol import Turn, uuid7
from codex_hookspecs.storage import TurnsDropped
from codex_testkit.suites._store_samples import VERSION, turn
from codex_thread_store.store import RolloutStore

pytestmark = pytest.mark.anyio

Line = tuple[str, dict[str, Any]]


def message(role: str, text: str) -> Line:
    kind = "output_text" if role == "assistant" else "input_text"
    return "response_item", {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}


def event(kind: str, **members: Any) -> Line:
    return "event_msg", {"type": kind, **members}


def said(text: str) -> list[Line]:
    return [message("user", text), event("user_message", message=text, images=[])]


def answered(text: str) -> list[Line]:
    return [message("assistant", text), event("agent_message", message=text)]


def put(home: Path, lines: Iterable[Line]) -> str:
    """Write a rollout and return its thread's id."""
    thread_id, stamp = uuid7(), "2026-01-02T03:04:05.000Z"
    meta = {"id": thread_id, "timestamp": stamp, "cwd": "/ws", "originator": "codex_cli_rs", "cli_version": "0.60.0"}
    folder = home / "sessions" / "2026" / "01" / "02"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"rollout-2026-01-02T03-04-05-{thread_id}.jsonl").open("w") as file:
        for kind, payload in [("session_meta", meta), *lines]:
            file.write(json.dumps({"timestamp": stamp, "type": kind, "payload": payload}) + "\n")
    return thread_id


def shown(turns: Iterable[Turn]) -> list[tuple[str, list[str]]]:
    return [(turn.status, [item.TYPE for item in turn.items]) for turn in turns]


def texts(history: Iterable[dict[str, Any]]) -> list[str]:
    return [part["text"] for item in history for part in item["content"]]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[RolloutStore]:
    store = RolloutStore(str(tmp_path), warn=print)
    yield store
    await store.aclose()


ANSWERED = ("completed", ["userMessage", "agentMessage"])


async def test_a_message_of_the_user_begins_a_turn(store: RolloutStore, tmp_path: Path) -> None:
    thread_id = put(tmp_path, [*said("one"), *answered("re one"), *said("two"), *answered("re two")])

    read = await store.read(thread_id)
    listed = await store.show(thread_id, turns=True)

    assert shown(read.thread.turns) == shown(listed.turns) == [ANSWERED, ANSWERED]
    assert [turn.id for turn in read.thread.turns] == [turn.id for turn in listed.turns]
    assert len({turn.id for turn in read.thread.turns}) == 2


@pytest.mark.parametrize("event_first", [False, True])
async def test_a_turn_is_taken_back_with_its_message_and_the_one_before_stays(
    store: RolloutStore, tmp_path: Path, *, event_first: bool
) -> None:
    step = -1 if event_first else 1
    context = message("user", "<environment_context>\n</environment_context>")
    lines = [context, *said("one")[::step], *answered("re one"), *said("two")[::step], *answered("re two")]
    thread_id = put(tmp_path, lines)

    _, writer = await store.open(thread_id, cli_version=VERSION)
    await writer.append([TurnsDropped(1)])
    await writer.append(turn("t3", "three", "re three"))
    await writer.aclose()
    read = await store.read(thread_id)

    assert shown(read.thread.turns) == [ANSWERED, ANSWERED]
    kept = texts(read.history)
    assert kept[:3] == ["<environment_context>\n</environment_context>", "one", "re one"]
    assert "two" not in kept
    assert "re two" not in kept
    assert kept[-2:] == ["three", "re three"]


async def test_turns_with_events_keep_their_later_messages(store: RolloutStore, tmp_path: Path) -> None:
    begun, ended = event("task_started", turn_id="a"), event("task_complete", turn_id="a")
    steered = [begun, *said("one"), *said("more"), *answered("re one"), ended]
    thread_id = put(tmp_path, [*steered, *said("two"), *answered("re two"), event("task_started", turn_id="c")])

    turns = (await store.read(thread_id)).thread.turns

    assert shown(turns) == [
        ("completed", ["userMessage", "userMessage", "agentMessage"]),
        ANSWERED,
        ("interrupted", []),
    ]
    assert [turns[0].id, turns[2].id] == ["a", "c"]


async def test_a_turn_without_events_can_be_aborted(store: RolloutStore, tmp_path: Path) -> None:
    aborted = event("turn_aborted", reason="interrupted")
    thread_id = put(tmp_path, [*said("one"), aborted, *said("two"), *answered("re two")])

    turns = (await store.read(thread_id)).thread.turns

    assert shown(turns) == [("interrupted", ["userMessage"]), ANSWERED]


async def test_an_error_fails_a_turn_without_events(store: RolloutStore, tmp_path: Path) -> None:
    error = event("error", message="bad", codex_error_info="other")
    thread_id = put(tmp_path, [*said("one"), error, *said("two"), *answered("re two")])

    turns = (await store.read(thread_id)).thread.turns

    assert shown(turns) == [("failed", ["userMessage"]), ANSWERED]
    assert turns[0].error is not None
    assert turns[0].error.message == "bad"


async def test_what_follows_a_rollback_is_no_part_of_the_turn_before_it(store: RolloutStore, tmp_path: Path) -> None:
    dropped = event("thread_rolled_back", num_turns=1)
    lines = [*said("one"), *answered("re"), *said("two"), dropped, *answered("more"), *said("three"), *answered("re")]
    thread_id = put(tmp_path, lines)

    turns = (await store.read(thread_id)).thread.turns

    assert shown(turns) == [ANSWERED, ("completed", ["agentMessage"]), ANSWERED]
