"""Tests of what changes a stored thread: forks, rollbacks, the state of its work tree, archiving."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import attrs
import pytest

from codex_hookspecs.errors import ThreadBusy, ThreadNotFound
from codex_hookspecs.ids import uuid7
from codex_hookspecs.ports.storage import ThreadStore, ThreadWriter
from codex_hookspecs.types import items
from codex_hookspecs.types.sandbox import SandboxPolicy
from codex_hookspecs.types.storage import (
    HistoryAppended,
    HistoryReplaced,
    ItemFinished,
    Record,
    SettingsChanged,
    StoredThread,
    ThreadMeta,
    ThreadQuery,
    TurnEnded,
    TurnsDropped,
)
from codex_hookspecs.types.threads import GitInfo
from codex_testkit.suites._store_samples import VERSION, began, message, said, settings, turn


class StoreChanges:
    """Tests of changes, with what all tests of a store need."""

    async def reopened(self, store: ThreadStore) -> ThreadStore:
        """Return the store as opened by another process."""
        return store

    async def kept(self, store: ThreadStore, records: Sequence[Record], **changes: Any) -> str:
        """Store a thread and release it."""
        writer, thread_id = await self.created(store, **changes)
        await writer.append(records)
        await writer.aclose()
        return thread_id

    async def created(self, store: ThreadStore, **changes: Any) -> tuple[ThreadWriter, str]:
        """Create a thread."""
        thread_id = uuid7(changes.get("created_at_ms"))
        plain = ThreadMeta(
            thread_id=thread_id,
            settings=settings(),
            created_at_ms=time.time_ns() // 1_000_000,
            cli_version=VERSION,
            base_instructions="BASE",
            git=GitInfo("abc", "main", origin_url="https://example.com/r.git"),
        )
        return await store.create(attrs.evolve(plain, **changes)), thread_id

    async def forked(self, store: ThreadStore, thread_id: str, **changes: Any) -> tuple[StoredThread, ThreadWriter]:
        """Fork a thread."""
        plain = ThreadMeta(
            thread_id=uuid7(),
            settings=settings(),
            created_at_ms=time.time_ns() // 1_000_000,
            cli_version=VERSION,
            forked_from=thread_id,
        )
        return await store.fork(thread_id, attrs.evolve(plain, **changes))

    async def test_turns_that_were_taken_back_are_gone_with_their_history(self, store: ThreadStore) -> None:
        turns = [*turn("t1", "a", "b"), *turn("t2", "c", "d"), *turn("t3", "e", "f")]
        thread_id = await self.kept(store, [*turns, TurnsDropped(2), *turn("t4", "g", "h")])

        stored = await (await self.reopened(store)).read(thread_id)

        assert [turn.id for turn in stored.thread.turns] == ["t1", "t4"]
        assert texts(stored) == ["a", "b", "g", "h"]

    async def test_more_turns_than_there_are_leave_an_empty_thread(self, store: ThreadStore) -> None:
        thread_id = await self.kept(store, [*turn("t1", "a", "b"), TurnsDropped(7)])

        stored = await (await self.reopened(store)).read(thread_id)

        assert (stored.thread.turns, stored.history) == ((), ())

    async def test_a_turn_is_taken_back_with_all_that_steered_and_continued_it(self, store: ThreadStore) -> None:
        prompt = message("user", '<hook_prompt hook_run_id="stop:0:/h">again</hook_prompt>')
        continued: list[Record] = [
            *turn("t2", "c", "d")[:-1],
            *said("t2", "steered", "steering"),
            HistoryAppended(prompt, "t2"),
            HistoryAppended(message("assistant", "more"), "t2"),
            TurnEnded(turn_id="t2", status="completed"),
        ]
        thread_id = await self.kept(store, [*turn("t1", "a", "b"), *continued, TurnsDropped(1)])

        stored = await (await self.reopened(store)).read(thread_id)

        assert [turn.id for turn in stored.thread.turns] == ["t1"]
        assert texts(stored) == ["a", "b"]

    async def test_a_turn_without_a_prompt_counts_like_any_other(self, store: ThreadStore) -> None:
        compacted: list[Record] = [
            began("t2"),
            HistoryReplaced(items=(message("user", "a"), message("user", "summary")), message="summary"),
            ItemFinished("t2", items.ContextCompaction(id="c1")),
            TurnEnded(turn_id="t2", status="completed"),
        ]
        thread_id = await self.kept(store, [*turn("t1", "a", "b"), *compacted, *turn("t3", "c", "d"), TurnsDropped(1)])
        further = await self.kept(store, [*turn("t1", "a", "b"), *compacted, *turn("t3", "c", "d"), TurnsDropped(2)])

        store = await self.reopened(store)
        after, before = await store.read(thread_id), await store.read(further)

        assert [turn.id for turn in after.thread.turns] == ["t1", "t2"]
        assert texts(after) == ["a", "summary"]
        assert [turn.id for turn in before.thread.turns] == ["t1"]
        assert texts(before) == ["a", "b"]

    async def test_a_fork_is_a_copy_that_goes_on_alone(self, store: ThreadStore) -> None:
        thread_id = await self.kept(store, [*turn("t1", "a", "b"), *turn("t2", "c", "d")])

        stored, writer = await self.forked(store, thread_id)
        await writer.append(turn("t3", "e", "f"))
        await writer.aclose()
        _, first = await store.open(thread_id, cli_version=VERSION)
        await first.append([TurnsDropped(2)])
        await first.aclose()

        store = await self.reopened(store)
        fork, origin = await store.read(stored.thread.id), await store.read(thread_id)
        assert stored.thread.id != thread_id
        assert [turn.id for turn in stored.thread.turns] == ["t1", "t2"]
        assert [turn.id for turn in fork.thread.turns] == ["t1", "t2", "t3"]
        assert texts(fork) == ["a", "b", "c", "d", "e", "f"]
        assert (fork.thread.preview, fork.thread.name) == ("a", None)
        assert origin.thread.turns == ()

    async def test_a_fork_of_a_fork_has_all_turns(self, store: ThreadStore) -> None:
        thread_id = await self.kept(store, turn("t1", "a", "b"))
        first, writer = await self.forked(store, thread_id)
        await writer.append(turn("t2", "c", "d"))
        await writer.aclose()

        second, writer = await self.forked(store, first.thread.id)
        await writer.aclose()

        assert texts(second) == ["a", "b", "c", "d"]
        listed = (await (await self.reopened(store)).list(ThreadQuery())).threads
        assert {thread.id for thread in listed} == {thread_id, first.thread.id, second.thread.id}

    async def test_a_fork_has_the_settings_that_it_was_given(self, store: ThreadStore) -> None:
        thread_id = await self.kept(store, turn("t1", "a", "b"))
        changed = settings(model="gpt-5.5", approval_policy="untrusted", sandbox=SandboxPolicy("readOnly"))

        stored, writer = await self.forked(store, thread_id)
        await writer.append([SettingsChanged(changed)])
        await writer.aclose()

        found = (await (await self.reopened(store)).read(stored.thread.id)).settings
        expected = {"model": "gpt-5.5", "approval_policy": "untrusted", "sandbox": SandboxPolicy("readOnly")}
        assert {key: found[key] for key in expected} == expected
        assert (await store.read(thread_id)).settings["model"] == "gpt-5.2-codex"

    async def test_a_service_tier_that_was_cleared_does_not_come_back(self, store: ThreadStore) -> None:
        thread_id = await self.kept(store, [began("t1", service_tier="fast"), *said("t1", "go"), began("t2")])

        assert (await (await self.reopened(store)).read(thread_id)).settings.get("service_tier") is None

    async def test_a_thread_that_is_being_written_can_be_forked_but_not_archived(self, store: ThreadStore) -> None:
        writer, thread_id = await self.created(store)
        await writer.append([*turn("t1", "a", "b"), began("t2"), *said("t2", "c")])

        with pytest.raises(ThreadBusy):
            await store.archive(thread_id)
        stored, copy = await self.forked(store, thread_id)
        await copy.aclose()
        await writer.aclose()

        assert [(turn.id, turn.status) for turn in stored.thread.turns] == [("t1", "completed"), ("t2", "interrupted")]
        assert [thread.id for thread in (await store.list(ThreadQuery(archived=True))).threads] == []

    async def test_only_a_thread_that_is_there_can_be_forked(self, store: ThreadStore) -> None:
        archived = await self.kept(store, turn("t1", "a", "b"))
        await store.archive(archived)

        for thread_id in (uuid7(), archived):
            with pytest.raises(ThreadNotFound, match="no rollout found for thread id"):
                await self.forked(store, thread_id)
            with pytest.raises(ThreadNotFound):
                await store.archive(thread_id)
        assert await store.find(archived) is None
        with pytest.raises(ThreadNotFound, match="failed to load rollout"):
            await store.identify("/nowhere/rollout.jsonl")

    async def test_the_work_tree_that_is_shown_can_be_changed(self, store: ThreadStore) -> None:
        thread_id = await self.kept(store, turn("t1", "a", "b"))

        changed = await store.update_git(thread_id, {"branch": "topic", "sha": None})
        store = await self.reopened(store)

        expected = GitInfo(None, "topic", origin_url="https://example.com/r.git")
        assert (changed.git_info, changed.turns) == (expected, ())
        (listed,) = (await store.list(ThreadQuery())).threads
        assert listed.git_info == (await store.show(thread_id, turns=True)).git_info == expected
        _, writer = await store.open(thread_id, cli_version=VERSION)
        await writer.append(turn("t2", "c", "d"))
        await writer.aclose()
        assert (await store.show(thread_id, turns=False)).git_info == expected
        assert (await store.update_git(thread_id, {"branch": None, "origin_url": None})).git_info is None
        with pytest.raises(ThreadNotFound):
            await store.update_git(uuid7(), {"branch": "topic"})

    async def test_a_listing_can_begin_with_the_oldest(self, store: ThreadStore) -> None:
        ids = [
            await self.kept(store, turn("t1", f"{number}", "ok"), created_at_ms=1_700_000_000_000 + number * 1000)
            for number in range(3)
        ]
        store = await self.reopened(store)

        first = await store.list(ThreadQuery(limit=2, ascending=True))
        second = await store.list(ThreadQuery(limit=2, ascending=True, cursor=first.next_cursor))

        assert [thread.id for thread in (*first.threads, *second.threads)] == ids
        assert second.next_cursor is None


def texts(stored: StoredThread) -> list[str]:
    """Return the texts of a model's history."""
    return [item["content"][0]["text"] for item in stored.history]
