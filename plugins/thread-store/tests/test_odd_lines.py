"""Lines that no program should have written: each is skipped or kept, and none takes the rest of the thread with it."""

from __future__ import annotations

import json
import random
import time
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import attrs
import pytest

from codex_hookspecs.protocol import uuid7
from codex_hookspecs.storage import StoredThread, ThreadMeta, ThreadQuery
from codex_hookspecs.wire import encode
from codex_host.session.response_items import repair_history
from codex_testkit.suites._store_samples import VERSION, settings, turn
from codex_thread_store.rollout_reader import read_thread
from codex_thread_store.store import RolloutStore

pytestmark = pytest.mark.anyio

DATA = Path(__file__).parent / "data"
DEEP = "[" * 5000 + "]" * 5000
NOT_AS_DECLARED: tuple[Any, ...] = (
    None,
    True,
    7,
    1e400,
    -1,
    "",
    "text",
    [],
    [5],
    [[]],
    {},
    {"type": 5},
    [{"type": []}],
)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[RolloutStore]:
    store = RolloutStore(str(tmp_path), warn=print)
    yield store
    await store.aclose()


async def kept(store: RolloutStore) -> tuple[str, Path]:
    meta = ThreadMeta(thread_id=uuid7(), settings=settings(), created_at_ms=0, cli_version=VERSION)
    writer = await store.create(meta)
    await writer.append(turn("t1", "a", "b"))
    await writer.aclose()
    return meta.thread_id, Path(writer.path)


def line(kind: str, payload: Any) -> str:
    return json.dumps({"timestamp": "2026-11-22T10:00:00.000Z", "type": kind, "payload": payload})


def add(path: Path, *lines: str) -> None:
    with path.open("a") as file:
        file.writelines(f"{each}\n" for each in lines)


@pytest.mark.parametrize(
    "odd",
    [
        line("compacted", {}),
        line("compacted", {"message": 5}),
        line("compacted", {"message": "short", "replacement_history": "none"}),
        line("compacted", {"message": "short", "replacement_history": ["text"]}),
        line("event_msg", {"type": "thread_rolled_back"}),
        line("event_msg", {"type": "thread_rolled_back", "num_turns": None}),
        line("event_msg", {"type": "thread_rolled_back", "num_turns": 1e400}),
        line("response_item", {"type": "message", "role": "user"}),
        line("response_item", {"type": ["message"], "role": "user", "content": []}),
        line("response_item", {"type": "function_call", "name": "x", "arguments": "{}"}),
        line("response_item", {"type": "function_call", "name": "x", "arguments": "{}", "call_id": ["c"]}),
        line("response_item", {"type": "function_call_output", "call_id": {}, "output": "x"}),
        line("response_item", {"type": "function_call_output", "call_id": "c", "output": 5}),
        line("response_item", {"type": "reasoning", "summary": "text"}),
        line("event_msg", {"type": "task_complete", "turn_id": {}}),
        line("event_msg", {"type": "item_completed", "turn_id": [], "item": {"type": "agentMessage", "id": "i"}}),
        line("event_msg", {"type": "item_completed", "item": {"type": "agentMessage", "id": {}, "text": "x"}}),
        f'{{"type":"event_msg","payload":{{"type":"agent_message","message":{DEEP}}}}}',
        DEEP,
        "[" * 100_000,
        '{"type":"response_item","payload":{"type":"message","role":"user","content":NaN}}',
    ],
)
async def test_a_line_that_makes_no_sense_changes_nothing(store: RolloutStore, odd: str) -> None:
    thread_id, path = await kept(store)
    before = await store.read(thread_id)

    add(path, odd)
    after = await store.read(thread_id)

    assert after.history == before.history
    assert after.thread.turns == before.thread.turns
    assert [thread.id for thread in (await store.list(ThreadQuery())).threads] == [thread_id]


@pytest.mark.parametrize("content", ["as text", ["as text"], [{"type": "input_text", "text": "as text"}, 5]])
async def test_a_message_whose_content_is_text_is_kept(store: RolloutStore, content: Any) -> None:
    thread_id, path = await kept(store)

    add(path, line("response_item", {"type": "message", "role": "user", "content": content}))

    (*_, last) = (await store.read(thread_id)).history
    assert last["content"] == [{"type": "input_text", "text": "as text"}]


async def test_reasoning_is_one_item_whatever_the_model_was_sent_in_between(store: RolloutStore) -> None:
    thread_id, path = await kept(store)
    call = {"type": "function_call", "name": "x", "arguments": "{}", "call_id": "c"}
    add(
        path,
        line("event_msg", {"type": "task_started", "turn_id": "t2"}),
        line("event_msg", {"type": "agent_reasoning", "text": "one"}),
        line("response_item", call),
        line("event_msg", {"type": "token_count", "info": {"total_token_usage": {"total_tokens": 3}}}),
        line("event_msg", {"type": "agent_reasoning", "text": "two"}),
        line("event_msg", {"type": "agent_message", "message": "so"}),
        line("event_msg", {"type": "agent_reasoning", "text": "three"}),
    )

    stored = await store.read(thread_id)

    items = stored.thread.turns[1].items
    assert [getattr(item, "summary", None) for item in items] == [("one", "two"), None, ("three",)]
    assert stored.usage.total.total_tokens == 3
    assert await store.show(thread_id, turns=True) == stored.thread


async def test_names_nested_too_deeply_are_no_names(store: RolloutStore, tmp_path: Path) -> None:
    thread_id, _ = await kept(store)
    await store.set_name(thread_id, "Named")
    add(tmp_path / "session_index.jsonl", DEEP, f'{{"id":"{thread_id}","thread_name":{DEEP}}}', "[" * 100_000)

    assert (await store.read(thread_id)).thread.name == "Named"


async def test_what_clients_see_does_not_depend_on_reading_what_the_model_was_sent(
    store: RolloutStore, tmp_path: Path
) -> None:
    for file in DATA.iterdir():
        whole = read_thread(str(file), str(tmp_path))
        assert read_thread(str(file), str(tmp_path), history=False).thread == whole.thread


async def test_the_end_of_an_endless_file_of_names_is_read(store: RolloutStore, tmp_path: Path) -> None:
    thread_id, _ = await kept(store)
    with (tmp_path / "session_index.jsonl").open("wb") as file:
        file.truncate(3 * 1024**3)
    await store.set_name(thread_id, "Named")

    began = time.monotonic()

    assert (await store.read(thread_id)).thread.name == "Named"
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("seed", range(25))
def test_a_rollout_with_any_member_replaced_is_read_without_losing_its_history(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    for file in sorted(DATA.iterdir()):
        head, *rest = file.read_text().splitlines()
        changed = [mutated(json.loads(each), rng) if rng.random() < 0.4 else each for each in rest]
        path = tmp_path / file.name
        path.write_text("\n".join([head, *changed]) + "\n")

        check(read_thread(str(path), str(tmp_path)), had_history=any('"response_item"' in each for each in rest))
        read_thread(str(path), str(tmp_path), history=False)


@pytest.mark.parametrize("seed", range(10))
def test_a_rollout_with_damaged_bytes_is_read_without_losing_its_history(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    for file in sorted(DATA.iterdir()):
        head, _, rest = file.read_bytes().partition(b"\n")
        data = bytearray(rest)
        for _ in range(len(data) // 3000):
            data[rng.randrange(len(data))] = rng.randrange(256)
        path = tmp_path / file.name
        path.write_bytes(head + b"\n" + data)

        check(read_thread(str(path), str(tmp_path)), had_history=b'"response_item"' in rest)


def check(stored: StoredThread, *, had_history: bool) -> None:
    json.dumps(encode(stored.thread))
    json.dumps(repair_history(stored.history))
    assert bool(stored.history) == had_history


def mutated(value: Any, rng: random.Random) -> str:
    """Return a line with one of its members replaced by something else, whatever holds its kind left alone."""
    places = list(members(value["payload"]))
    if not places:
        return json.dumps(value)
    holder, key = rng.choice(places)
    if key != "replacement_history":
        holder[key] = rng.choice(NOT_AS_DECLARED)
    return json.dumps(value)


def members(value: Any) -> Iterable[tuple[Any, Any]]:
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in entries:
        yield value, key
        yield from members(inner)


def test_the_time_of_reading_grows_with_the_number_of_events_only(tmp_path: Path) -> None:
    head, *_ = (DATA / "exec-0.118.jsonl").read_text().splitlines()

    def seconds(count: int) -> float:
        path = tmp_path / str(count)
        events = [line("event_msg", {"type": "agent_reasoning", "text": str(number)}) for number in range(count)]
        path.write_text("\n".join([head, *events]) + "\n")
        began = time.process_time()
        (only,) = read_thread(str(path), str(tmp_path)).thread.turns
        assert len(only.items[0].summary) == count  # type: ignore[union-attr]
        return time.process_time() - began

    assert seconds(80_000) < 10 * seconds(20_000)


def test_items_are_checked_alike_before_and_after_their_classes_were_decoded() -> None:
    from codex_hookspecs.protocol import FileChange, FileUpdateChange
    from codex_thread_store import item_checks

    item_checks._checks.cache_clear()
    attrs.resolve_types(FileChange)  # as the converter does
    change = FileUpdateChange(path="/a", kind={"type": "add"}, diff="")

    assert item_checks.check_types(FileChange(id="i", changes=(change,), status="completed")).changes == (change,)
