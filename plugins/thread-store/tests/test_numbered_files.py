"""Files of Codex 0.169 with numbered lines: reverted and forked threads begin in another file."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from codex_hookspecs.protocol import uuid7
from codex_hookspecs.storage import StoredThread, ThreadMeta, ThreadQuery
from codex_testkit.suites._store_samples import VERSION, settings, turn
from codex_thread_store.store import RolloutStore

THREAD = "01a22dc6-4270-7730-8b6f-0515ea9ddbb8"
SEGMENT = "01a22dc6-47d8-7331-915a-bc8f7bb9e635"
FORK = "01a22dc6-4c8d-7ad2-aa30-939fad9bcd73"
DAY = "sessions/2026/11/30"


def meta(thread_id: str, **members: Any) -> dict[str, Any]:
    plain = {
        "id": thread_id, "timestamp": "2026-11-30T18:44:57.598Z", "cwd": "/w", "originator": "t",
        "cli_version": "0.169.0", "source": "vscode", "model_provider": "mock", "history_mode": "paginated",
    }  # fmt: skip
    return {"type": "session_meta", "payload": {**plain, **members}}


def said(turn_id: str, prompt: str, answer: str) -> list[dict[str, Any]]:
    """Return the lines of a turn."""

    def message(role: str, kind: str, text: str) -> dict[str, Any]:
        return {
            "type": "response_item",
            "payload": {"type": "message", "role": role, "content": [{"type": kind, "text": text}]},
        }

    def event(kind: str, **members: Any) -> dict[str, Any]:
        return {"type": "event_msg", "payload": {"type": kind, "turn_id": turn_id, **members}}

    asked = {"type": "UserMessage", "id": f"u-{turn_id}", "content": [{"type": "text", "text": prompt}]}
    replied = {"type": "AgentMessage", "id": f"a-{turn_id}", "content": [{"type": "Text", "text": answer}]}
    return [
        event("task_started"),
        message("user", "input_text", prompt),
        event("item_completed", item=asked),
        event("item_completed", item=replied),
        message("assistant", "output_text", answer),
        event("task_complete"),
    ]


def write(file: Path, first: int, lines: list[dict[str, Any]]) -> int:
    """Write numbered lines; return the size of the file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    stamp = "2026-11-30T18:44:58.000Z"
    text = [json.dumps({"timestamp": stamp, "ordinal": number, **line}) for number, line in enumerate(lines, first)]
    file.write_text("".join(f"{line}\n".replace('": ', '":').replace(', "', ',"') for line in text))
    return file.stat().st_size


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[RolloutStore]:
    """A home with a thread that was reverted to its first turn, went on, and was forked then."""
    (tmp_path / "thread-writer-locks").mkdir()
    folder = tmp_path / DAY
    base = [meta(THREAD), *said("t1", "one", "a")]
    size = write(folder / f"rollout-2026-11-30T18-44-57-{THREAD}.jsonl", 0, base)
    whole = [*base, *said("t2", "two", "b")]
    write(folder / f"rollout-2026-11-30T18-44-57-{THREAD}.jsonl", 0, whole)
    reverted = {"thread_id": THREAD, "end_ordinal_exclusive": len(base), "end_byte_offset": size}
    later = folder.with_name("31") / f"rollout-2026-12-01T18-44-58-{THREAD}_{SEGMENT}.jsonl"
    lines = [meta(THREAD, history_base=reverted), *said("t3", "three", "c")]
    size = write(later, len(base), lines)
    forked = {"thread_id": SEGMENT, "end_ordinal_exclusive": len(base) + len(lines), "end_byte_offset": size}
    first = meta(FORK, history_base=forked, forked_from_id=THREAD, forked_from_ordinal_exclusive=len(base))
    write(folder / f"rollout-2026-11-30T18-44-59-{FORK}.jsonl", len(base) + len(lines), [first])
    opened = RolloutStore(str(tmp_path), warn=print)
    yield opened
    await opened.aclose()


def prompts(stored: StoredThread) -> list[str]:
    return [str(item["content"][0]["text"]) for item in stored.history if item["role"] == "user"]


async def test_the_newest_file_of_a_reverted_thread_counts(store: RolloutStore) -> None:
    stored = await store.read(THREAD)

    assert [turn.id for turn in stored.thread.turns] == ["t1", "t3"]
    assert prompts(stored) == ["one", "three"]
    assert SEGMENT in (stored.thread.path or "")


async def test_a_fork_of_a_reverted_thread_has_what_that_had(store: RolloutStore) -> None:
    _, writer = await store.open(THREAD, cli_version=VERSION)
    await writer.append(turn("t4", "four", "d"))
    await writer.aclose()

    stored = await store.read(FORK)

    assert prompts(stored) == ["one", "three"]
    assert prompts(await store.read(THREAD)) == ["one", "three", "four"]
    listed = (await store.list(ThreadQuery())).threads
    assert {(thread.id, thread.preview) for thread in listed} == {(THREAD, "one"), (FORK, "one")}


async def test_lines_are_numbered_on_and_messages_have_the_form_of_the_file(store: RolloutStore) -> None:
    stored, writer = await store.open(THREAD, cli_version=VERSION)
    await writer.append(turn("t4", "four", "d"))
    await writer.append(turn("t5", "five", "e"))
    await writer.aclose()

    lines = [json.loads(line) for line in Path(stored.thread.path or "").read_text().splitlines()]
    events = [line["payload"] for line in lines if line["type"] == "event_msg"]
    assert [line["ordinal"] for line in lines] == list(range(7, 7 + len(lines)))
    assert [event["item"]["type"] for event in events if event["type"] == "item_completed"][-2:] == [
        "UserMessage",
        "AgentMessage",
    ]
    assert not any(event["type"] in ("user_message", "agent_message") for event in events)
    again = await store.read(THREAD)
    assert [item.id for item in again.thread.turns[-1].items] == ["user-t5", "msg-t5"]


async def test_a_copy_is_complete_and_has_the_events_that_0118_reads(store: RolloutStore, tmp_path: Path) -> None:
    copy = ThreadMeta(
        thread_id=uuid7(), settings=settings(), created_at_ms=1_796_064_300_000, cli_version=VERSION, forked_from=FORK
    )
    stored, writer = await store.fork(FORK, copy)
    await writer.aclose()
    for file in (tmp_path / "sessions").rglob(f"*{THREAD}*"):
        file.unlink()

    again = await store.read(copy.thread_id)
    lines = [json.loads(line) for line in Path(again.thread.path or "").read_text().splitlines()]
    messages = [line["payload"]["message"] for line in lines if line["payload"].get("type") == "user_message"]
    assert again.thread.turns == stored.thread.turns
    assert prompts(again) == messages == ["one", "three"]
    assert (lines[0]["payload"]["id"], lines[0]["payload"]["forked_from_id"]) == (copy.thread_id, FORK)


async def test_a_reverted_thread_is_archived_with_its_older_file(store: RolloutStore, tmp_path: Path) -> None:
    await store.archive(THREAD)

    assert len(list((tmp_path / "archived_sessions").glob(f"*{THREAD}*"))) == 2
    assert prompts(await store.read(THREAD)) == ["one", "three"]
    assert prompts(await store.read(FORK)) == ["one", "three"]
    assert (await store.unarchive(THREAD)).preview == "one"
    assert list((tmp_path / "archived_sessions").iterdir()) == []
    assert prompts(await store.read(THREAD)) == ["one", "three"]
