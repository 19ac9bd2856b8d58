"""What a rollout holds: names, order and payloads of lines are those of Codex 0.118."""

from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from codex_hookspecs import protocol as items
from codex_hookspecs.protocol import GitInfo, ThreadTokenUsage, TokenUsage, TurnError
from codex_hookspecs.storage import (
    HistoryAppended,
    HistoryReplaced,
    ItemFinished,
    Record,
    ThreadMeta,
    TurnEnded,
    TurnsDropped,
    UsageCounted,
)
from codex_testkit.suites._store_samples import answered, began, message, said, settings, turn
from codex_thread_store.rollout_encoder import Line, encode_lines, encode_meta, encode_records
from codex_thread_store.store import RolloutStore

pytestmark = pytest.mark.anyio

DATA = Path(__file__).parent / "data"
ID = "01a2029d-0b3b-7d91-aa98-2ec916394647"
META = ThreadMeta(
    thread_id=ID,
    settings=settings(),
    created_at_ms=1_795_340_176_237,
    cli_version="0.1.0",
    base_instructions="BASE",
    git=GitInfo("abc", "main"),
)


def lines(*records: Record) -> list[Line]:
    return encode_records(records, ID, 1_795_340_176_275)


def names(found: list[Line]) -> list[str]:
    return [payload["type"] if kind == "event_msg" else kind for kind, payload in found]


def keys_of_0_118(name: str) -> list[str]:
    """Return the members of the first line of that name that real Codex wrote."""
    for line in (DATA / "exec-0.118.jsonl").read_text("utf-8").splitlines():
        entry = json.loads(line)
        if name in (entry["type"], entry["payload"].get("type")):
            return list(entry["payload"])
    raise LookupError(name)


def test_a_simple_turn_has_the_lines_of_0_118_in_their_order() -> None:
    usage = UsageCounted("t1", ThreadTokenUsage(total=TokenUsage(), last=TokenUsage()))
    context = [
        HistoryAppended(message("developer", "<permissions instructions>\nx\n</permissions instructions>"), "t1"),
        HistoryAppended(message("user", "<environment_context>\n</environment_context>"), "t1"),
    ]
    ended = TurnEnded(turn_id="t1", status="completed", last_agent_message="hi")

    found = names(lines(began("t1"), *context, *said("t1", "hello"), *answered("t1", "hi"), usage, ended))

    assert [name for name in found if name != "item_completed"] == [
        "task_started",
        "response_item",
        "response_item",
        "turn_context",
        "response_item",
        "user_message",
        "agent_message",
        "response_item",
        "token_count",
        "task_complete",
    ]


def test_the_context_of_a_turn_is_never_left_out() -> None:
    assert names(lines(began("t1"))) == ["task_started", "turn_context"]
    assert names(lines(began("t1"), HistoryAppended(message("developer", "x"), "t1")))[-1] == "turn_context"


@pytest.mark.parametrize("name", ["task_started", "user_message", "agent_message", "token_count", "task_complete"])
def test_an_event_has_the_members_of_0_118(name: str) -> None:
    usage = UsageCounted("t1", ThreadTokenUsage(total=TokenUsage(), last=TokenUsage()))
    found = {
        payload["type"]: payload
        for kind, payload in lines(began("t1"), *said("t1", "a"), *answered("t1", "b"), usage, *turn("t1", "a", "b"))
        if kind == "event_msg"
    }

    assert set(keys_of_0_118(name)) <= set(found[name])


def test_the_first_line_has_the_members_of_0_118_in_their_order() -> None:
    kind, payload = encode_meta(META)

    assert kind == "session_meta"
    assert list(payload) == keys_of_0_118("session_meta")
    assert payload["timestamp"] == "2026-11-22T09:36:16.237Z"
    assert payload["base_instructions"] == {"text": "BASE"}
    assert payload["git"] == {"commit_hash": "abc", "branch": "main"}


def test_the_context_of_a_turn_has_the_members_of_0_118() -> None:
    payload = dict(lines(began("t1")))["turn_context"]

    assert set(keys_of_0_118("turn_context")) - {"user_instructions"} <= set(payload)
    assert payload["effort"] == "high"
    assert payload["sandbox_policy"] == {
        "type": "workspace-write",
        "writable_roots": ["/x"],
        "network_access": True,
        "exclude_tmpdir_env_var": False,
        "exclude_slash_tmp": False,
    }


def test_the_source_of_a_sub_agent_is_written_as_codex_does() -> None:
    spawned = {"subAgent": {"thread_spawn": {"parent_thread_id": ID, "depth": 1}}}
    meta = ThreadMeta(
        thread_id=ID,
        settings=settings(source=spawned),
        created_at_ms=0,
        cli_version="",
        forked_from="x",
        agent_nickname="Ada",
        agent_role="worker",
    )

    _, payload = encode_meta(meta)

    assert payload["source"] == {"subagent": spawned["subAgent"]}
    assert (payload["agent_nickname"], payload["agent_role"], payload["forked_from_id"]) == ("Ada", "worker", "x")


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (TurnsDropped(2), {"type": "thread_rolled_back", "num_turns": 2}),
        (
            HistoryReplaced(items=(message("user", "s"),), message="s"),
            {"message": "s", "replacement_history": [message("user", "s")]},
        ),
    ],
)
def test_what_changes_the_history_is_written_as_codex_does(record: Record, expected: dict[str, Any]) -> None:
    assert lines(record)[0][1] == expected


def test_the_end_of_a_turn_tells_how_it_ended() -> None:
    error = TurnError("too long", "contextWindowExceeded")

    _, failed = lines(TurnEnded(turn_id="t1", status="failed", error=error, duration_ms=3))[0]
    _, stopped = lines(TurnEnded(turn_id="t1", status="interrupted"))[0]

    assert failed["type"] == "task_complete"
    assert failed["error"] == {"message": "too long", "codex_error_info": "context_window_exceeded"}
    assert failed["duration_ms"] == 3
    assert (stopped["type"], stopped["reason"], stopped["turn_id"]) == ("turn_aborted", "interrupted", "t1")


def test_a_finished_item_is_whole_in_one_event() -> None:
    (found,) = lines(ItemFinished("t1", items.ImageView(id="v1", path="/a.png")))

    assert found[1] == {
        "type": "item_completed",
        "thread_id": ID,
        "turn_id": "t1",
        "item": {"type": "imageView", "id": "v1", "path": "/a.png"},
        "completed_at_ms": 1_795_340_176_275,
    }


def test_every_line_is_one_line() -> None:
    data = encode_lines(lines(*said("t1", "a\nb\r\u2028\x85c")), 1_795_340_176_275)

    entries = [json.loads(line) for line in data.split(b"\n")[:-1]]
    assert data.endswith(b"\n")
    assert {entry["timestamp"] for entry in entries} == {"2026-11-22T09:36:16.275Z"}
    assert entries[0]["payload"]["content"][0]["text"] == "a\nb\r\u2028\x85c"


def test_text_that_is_not_unicode_does_not_spoil_the_file() -> None:
    data = encode_lines(lines(*said("t1", "half \ud83d a character")), 0)

    assert json.loads(data.split(b"\n")[0])["payload"]["content"][0]["text"] == "half ? a character"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[RolloutStore]:
    store = RolloutStore(str(tmp_path), warn=print)
    yield store
    await store.aclose()


async def test_the_file_is_named_after_local_time_and_private(
    store: RolloutStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    old = os.umask(0o022)
    try:
        writer = await store.create(META)
        await writer.append(turn("t1", "a", "b"))
        await writer.aclose()
    finally:
        os.umask(old)
        monkeypatch.undo()
        time.tzset()

    (path,) = tmp_path.glob("sessions/2026/11/22/*")
    assert path.name == f"rollout-2026-11-22T18-36-16-{ID}.jsonl"
    assert str(path) == writer.path
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_the_file_is_made_with_the_first_message(store: RolloutStore, tmp_path: Path) -> None:
    writer = await store.create(META)
    await writer.append([began("t1"), HistoryAppended(message("developer", "x"), "t1")])

    assert list(tmp_path.iterdir()) == []
    await writer.append(said("t1", "hello"))
    await writer.aclose()

    kinds = [json.loads(line)["type"] for line in Path(writer.path).read_bytes().splitlines()]
    assert kinds[0] == "session_meta"
    assert kinds.count("session_meta") == 1
    assert len(kinds) == 7


async def test_the_first_turn_has_its_order_however_its_records_came(store: RolloutStore, tmp_path: Path) -> None:
    writer = await store.create(META)
    for record in (began("t1"), HistoryAppended(message("developer", "x"), "t1"), *said("t1", "hello")):
        await writer.append([record])
    await writer.aclose()

    entries = [json.loads(line) for line in Path(writer.path).read_bytes().splitlines()]
    assert names([(entry["type"], entry["payload"]) for entry in entries]) == [
        "session_meta",
        "task_started",
        "response_item",
        "turn_context",
        "response_item",
        "user_message",
        "item_completed",
    ]


async def test_a_thread_made_without_instructions_is_stored_with_those_of_its_first_turn(store: RolloutStore) -> None:
    meta = attrs.evolve(META, base_instructions="")
    writer = await store.create(meta)
    await writer.append([began("t1", base_instructions="IN FORCE"), *said("t1", "hello")])
    await writer.aclose()

    stored = await store.read(ID)

    assert stored.settings["base_instructions"] == "IN FORCE"
