"""Contract suite for thread stores: subclass :class:`ThreadStoreContract` in the store's tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import pytest

from codex_hookspecs.errors import StorageError, ThreadBusy, ThreadNotFound
from codex_hookspecs.ids import uuid7
from codex_hookspecs.ports.storage import ThreadStore
from codex_hookspecs.types import items
from codex_hookspecs.types.items import Item
from codex_hookspecs.types.sandbox import SandboxPolicy
from codex_hookspecs.types.storage import (
    HistoryAppended,
    HistoryReplaced,
    ItemFinished,
    ThreadQuery,
    TurnEnded,
    UsageCounted,
)
from codex_hookspecs.types.threads import GitInfo, ThreadTokenUsage, TokenUsage, TurnError
from codex_testkit.suites._store_changes import StoreChanges
from codex_testkit.suites._store_samples import EVERY_ITEM, VERSION, began, message, said, settings, turn


class ThreadStoreContract(StoreChanges):
    """Tests of a thread store.

    A subclass defines the fixture ``store``, an empty store, and overrides ``reopened`` for persistent stores.
    """

    pytestmark = pytest.mark.anyio

    async def test_the_file_of_a_thread_that_was_begun_is_there_for_others(self, store: ThreadStore) -> None:
        writer, thread_id = await self.created(store)
        await writer.append([began("t1")])

        await writer.begin()

        assert writer.path is None or Path(writer.path).stat().st_size  # noqa: ASYNC240
        await writer.append(turn("t2", "hello", "hi"))
        await writer.aclose()
        assert (await (await self.reopened(store)).read(thread_id)).thread.preview == "hello"

    async def test_a_stored_thread_comes_back_as_it_was(self, store: ThreadStore) -> None:
        thread_id = await self.kept(store, turn("t1", "hello", "hi"), agent_nickname="Ada", agent_role="worker")

        stored = await (await self.reopened(store)).read(thread_id)

        thread = stored.thread
        assert (thread.id, thread.session_id, thread.preview) == (thread_id, thread_id, "hello")
        assert (thread.cwd, thread.model_provider, thread.source) == ("/w", "mock", "exec")
        assert (thread.cli_version, thread.agent_nickname, thread.agent_role) == (VERSION, "Ada", "worker")
        assert thread.git_info == GitInfo("abc", "main", origin_url="https://example.com/r.git")
        assert thread.status == {"type": "notLoaded"}
        assert stored.history == (message("user", "hello"), message("assistant", "hi"))
        (only,) = thread.turns
        assert (only.id, only.status, only.error, only.duration_ms) == ("t1", "completed", None, 7)
        assert [item.id for item in only.items] == ["user-t1", "msg-t1"]

    @pytest.mark.parametrize("item", EVERY_ITEM, ids=lambda item: item.TYPE)
    async def test_every_kind_of_item_comes_back_with_all_its_fields(self, store: ThreadStore, item: Item) -> None:
        thread_id = await self.kept(store, [began("t1"), *said("t1", "go"), ItemFinished("t1", item)])

        stored = await (await self.reopened(store)).read(thread_id)

        assert stored.thread.turns[0].items[-1] == item

    async def test_the_settings_of_the_last_turn_come_back(self, store: ThreadStore) -> None:
        later = began(
            "t2", cwd="/w/sub", model="gpt-5.5", approval_policy="on-request", sandbox=SandboxPolicy("readOnly")
        )
        thread_id = await self.kept(store, [*turn("t1", "a", "b"), later, *said("t2", "c")])

        found = (await (await self.reopened(store)).read(thread_id)).settings

        expected = {
            "cwd": "/w/sub",
            "model": "gpt-5.5",
            "model_provider": "mock",
            "approval_policy": "on-request",
            "sandbox": SandboxPolicy("readOnly"),
            "reasoning_effort": "high",
            "developer_instructions": "DEV",
            "base_instructions": "BASE",
        }
        assert {key: found[key] for key in expected} == expected

    @pytest.mark.parametrize("kind", ["dangerFullAccess", "readOnly", "workspaceWrite", "externalSandbox"])
    @pytest.mark.parametrize("network", [False, True])
    async def test_every_sandbox_policy_comes_back(self, store: ThreadStore, kind: Any, network: bool) -> None:
        policy = SandboxPolicy(kind, network and kind != "dangerFullAccess")
        thread_id = await self.kept(store, [began("t1", sandbox=policy), *said("t1", "go")])

        stored = await (await self.reopened(store)).read(thread_id)

        assert stored.settings["sandbox"] == policy

    async def test_usage_comes_back_as_counted_last(self, store: ThreadStore) -> None:
        first = TokenUsage(total_tokens=132, input_tokens=120, cached_input_tokens=20, output_tokens=12)
        total = first + TokenUsage(total_tokens=9, input_tokens=5, output_tokens=4, reasoning_output_tokens=1)
        usage = ThreadTokenUsage(total=total, last=first, model_context_window=1000)
        counted = [UsageCounted("t1", ThreadTokenUsage(total=first, last=first)), UsageCounted("t1", usage)]
        thread_id = await self.kept(store, [began("t1"), *said("t1", "go"), *counted])

        assert (await (await self.reopened(store)).read(thread_id)).usage == usage

    async def test_a_turn_without_an_end_is_interrupted(self, store: ThreadStore) -> None:
        thread_id = await self.kept(store, [*turn("t1", "a", "b"), began("t2"), *said("t2", "c")])

        turns = (await (await self.reopened(store)).read(thread_id)).thread.turns

        assert [(turn.id, turn.status) for turn in turns] == [("t1", "completed"), ("t2", "interrupted")]

    async def test_a_failed_turn_keeps_its_error(self, store: ThreadStore) -> None:
        error = TurnError(
            "no more", {"responseStreamDisconnected": {"httpStatusCode": 502}}, additional_details="bad gateway"
        )
        ended = TurnEnded(turn_id="t1", status="failed", error=error)
        thread_id = await self.kept(store, [began("t1"), *said("t1", "go"), ended])

        (only,) = (await (await self.reopened(store)).read(thread_id)).thread.turns

        assert (only.status, only.error) == ("failed", error)

    async def test_an_item_that_finishes_after_its_turn_belongs_to_it(self, store: ThreadStore) -> None:
        late = ItemFinished("t1", items.ImageView(id="late", path="/a"))
        thread_id = await self.kept(store, [*turn("t1", "a", "b"), *turn("t2", "c", "d"), late])

        first, second = (await (await self.reopened(store)).read(thread_id)).thread.turns

        assert first.items[-1].id == "late"
        assert [item.id for item in second.items] == ["user-t2", "msg-t2"]

    async def test_a_compacted_history_is_the_replacement_and_what_follows(self, store: ThreadStore) -> None:
        replaced = HistoryReplaced(items=(message("user", "a"), message("user", "summary")), message="summary")
        thread_id = await self.kept(store, [*turn("t1", "a", "b"), replaced, *turn("t2", "c", "d")])

        stored = await (await self.reopened(store)).read(thread_id)

        texts = [item["content"][0]["text"] for item in stored.history]
        assert texts == ["a", "summary", "c", "d"]
        assert len(stored.thread.turns) == 2

    async def test_fragments_that_were_sent_are_known_by_key(self, store: ThreadStore) -> None:
        old, new = (f"<environment_context>\n  <cwd>/{name}</cwd>\n</environment_context>" for name in "ab")
        sent = [HistoryAppended(message("user", text), "t1") for text in (old, new)]
        thread_id = await self.kept(store, [began("t1"), *sent, *said("t1", "go")])

        stored = await (await self.reopened(store)).read(thread_id)

        assert stored.fragments["environment_context"] == new

    async def test_a_thread_is_shown_with_the_turns_that_reading_gives_or_without(self, store: ThreadStore) -> None:
        thread_id = await self.kept(store, turn("t1", "a", "b"))
        await store.set_name(thread_id, "Named")
        store = await self.reopened(store)

        thread = (await store.read(thread_id)).thread
        assert await store.show(thread_id, turns=True) == thread
        assert await store.show(thread_id, turns=False) == attrs.evolve(thread, turns=())
        with pytest.raises(ThreadNotFound):
            await store.show(uuid7(), turns=False)

    async def test_a_thread_is_continued_by_whoever_opens_it(self, store: ThreadStore) -> None:
        thread_id = await self.kept(store, turn("t1", "a", "b"))
        store = await self.reopened(store)

        stored, writer = await store.open(thread_id, cli_version=VERSION)
        await writer.append(turn("t2", "c", "d"))
        await writer.aclose()

        assert [turn.id for turn in stored.thread.turns] == ["t1"]
        again = await store.read(thread_id)
        assert [turn.id for turn in again.thread.turns] == ["t1", "t2"]
        assert len(again.history) == 4

    async def test_a_thread_has_one_writer(self, store: ThreadStore) -> None:
        writer, thread_id = await self.created(store)
        await writer.append(turn("t1", "a", "b"))

        with pytest.raises(ThreadBusy) as caught:
            await store.open(thread_id, cli_version=VERSION)
        await writer.aclose()
        _, second = await store.open(thread_id, cli_version=VERSION)
        await second.aclose()

        assert thread_id in str(caught.value)
        assert caught.value.thread_id == thread_id

    async def test_a_closed_writer_refuses_records(self, store: ThreadStore) -> None:
        writer, _ = await self.created(store)
        await writer.aclose()
        await writer.aclose()

        with pytest.raises(StorageError):
            await writer.append(turn("t1", "a", "b"))

    async def test_nothing_is_visible_before_something_was_said(self, store: ThreadStore) -> None:
        writer, thread_id = await self.created(store)
        await writer.append([began("t1"), HistoryAppended(message("developer", "be nice"), "t1")])

        assert (await store.list(ThreadQuery())).threads == ()
        await writer.append(said("t1", "go"))
        assert [thread.id for thread in (await store.list(ThreadQuery())).threads] == [thread_id]
        history = (await store.read(thread_id)).history
        assert [item["role"] for item in history] == ["developer", "user"]
        await writer.aclose()

    async def test_an_unknown_thread_is_not_found(self, store: ThreadStore) -> None:
        unknown = uuid7()

        for thread_id in (unknown, "nonsense", "../etc/passwd"):
            with pytest.raises(ThreadNotFound, match="no rollout found for thread id"):
                await store.read(thread_id)
            with pytest.raises(ThreadNotFound):
                await store.open(thread_id, cli_version=VERSION)
            with pytest.raises(ThreadNotFound):
                await store.archive(thread_id)

    async def test_threads_are_listed_newest_first_in_pages(self, store: ThreadStore) -> None:
        ids = [
            await self.kept(
                store, turn("t1", f"number {number}", "ok"), created_at_ms=1_700_000_000_000 + number * 1000
            )
            for number in range(5)
        ]
        store = await self.reopened(store)

        pages = []
        cursor: str | None = None
        while True:
            page = await store.list(ThreadQuery(limit=2, cursor=cursor))
            pages.append([thread.id for thread in page.threads])
            cursor = page.next_cursor
            if cursor is None:
                break

        assert pages == [[ids[4], ids[3]], [ids[2], ids[1]], [ids[0]]]
        assert all(thread.turns == () for thread in page.threads)

    async def test_a_cursor_that_is_none_is_refused(self, store: ThreadStore) -> None:
        for cursor in ("zzz", "", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z|x"):
            with pytest.raises(StorageError, match="invalid cursor: "):
                await store.list(ThreadQuery(cursor=cursor))

    async def test_a_listing_can_be_restricted(self, store: ThreadStore) -> None:
        plain = await self.kept(store, turn("t1", "Fix the parser", "ok"))
        other = await self.kept(
            store,
            turn("t1", "write docs", "ok"),
            settings=settings(cwd="/elsewhere", model_provider="openai", source="vscode"),
        )
        spawned = {"subAgent": {"thread_spawn": {"parent_thread_id": plain, "depth": 1}}}
        child = await self.kept(store, turn("t1", "child", "ok"), settings=settings(source=spawned))
        store = await self.reopened(store)

        async def ids(**query: Any) -> set[str]:
            return {thread.id for thread in (await store.list(ThreadQuery(**query))).threads}

        assert await ids() == {plain, other, child}
        assert await ids(cwds=("/w",)) == {plain, child}
        assert await ids(model_providers=("openai",)) == {other}
        assert await ids(source_kinds=("vscode", "cli")) == {other}
        assert await ids(source_kinds=("subAgentThreadSpawn",)) == {child}
        assert await ids(source_kinds=("subAgent",)) == {child}
        assert await ids(search_term="PARSER") == {plain}
        assert await ids(archived=True) == set()
        assert (await store.read(child)).thread.source == spawned

    async def test_a_name_is_shown_found_and_replaced(self, store: ThreadStore) -> None:
        thread_id = await self.kept(store, turn("t1", "hello", "hi"))
        await store.set_name(thread_id, "old")
        await store.set_name(thread_id, "My Name")
        store = await self.reopened(store)

        (listed,) = (await store.list(ThreadQuery(search_term="my name"))).threads

        assert listed.name == "My Name"
        assert (await store.read(thread_id)).thread.name == "My Name"
        assert await store.find("My Name") == thread_id
        assert await store.find("old") is None

    async def test_the_newest_thread_of_a_name_is_found_in_its_directory(self, store: ThreadStore) -> None:
        here = await self.kept(store, turn("t1", "a", "b"))
        there = await self.kept(store, turn("t1", "a", "b"), settings=settings(cwd="/there"))
        for thread_id in (here, there):
            await store.set_name(thread_id, "same")

        assert await store.find("same", cwd="/w") == here
        assert await store.find("same", cwd="/there") == there
        assert await store.find("same", cwd="/nowhere") is None
        assert await store.find(here) == here
        assert await store.find(uuid7()) is None

    async def test_an_archived_thread_is_apart_until_it_is_brought_back(self, store: ThreadStore) -> None:
        thread_id = await self.kept(store, turn("t1", "hello", "hi"))

        await store.archive(thread_id)
        store = await self.reopened(store)

        assert (await store.list(ThreadQuery())).threads == ()
        assert [thread.id for thread in (await store.list(ThreadQuery(archived=True))).threads] == [thread_id]
        assert (await store.read(thread_id)).thread.preview == "hello"
        with pytest.raises(ThreadNotFound):
            await store.open(thread_id, cli_version=VERSION)

        thread = await store.unarchive(thread_id)

        assert (thread.id, thread.preview, thread.turns) == (thread_id, "hello", ())
        assert [thread.id for thread in (await store.list(ThreadQuery())).threads] == [thread_id]
        assert (await store.list(ThreadQuery(archived=True))).threads == ()
        with pytest.raises(ThreadNotFound):
            await store.unarchive(thread_id)

    async def test_a_store_can_be_closed_twice(self, store: ThreadStore) -> None:
        await store.aclose()
        await store.aclose()
