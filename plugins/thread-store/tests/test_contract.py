"""The rollout store holds the thread store's contract, also over the death of its process and without its index."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from codex_hookspecs.storage import ThreadStore
from codex_testkit.suites._store_samples import turn
from codex_testkit.suites.store import ThreadStoreContract
from codex_thread_store.store import RolloutStore


class TestRolloutStore(ThreadStoreContract):
    @pytest.fixture
    async def store(self, tmp_path: Path) -> AsyncIterator[RolloutStore]:
        self.home = tmp_path
        self.warnings: list[str] = []
        self.opened = [RolloutStore(str(tmp_path), warn=self.warnings.append)]
        yield self.opened[0]
        for store in self.opened:
            await store.aclose()

    async def reopened(self, store: ThreadStore) -> ThreadStore:
        await store.aclose()
        self.opened.append(RolloutStore(str(self.home), warn=self.warnings.append))
        return self.opened[-1]


class TestRolloutStoreWithoutIndex(TestRolloutStore):
    async def reopened(self, store: ThreadStore) -> ThreadStore:
        again = await super().reopened(store)
        await asyncio.to_thread(lambda: [path.unlink() for path in self.home.glob("state_5.sqlite*")])
        return again

    async def test_the_work_tree_that_is_shown_can_be_changed(self, store: ThreadStore) -> None:
        thread_id = await self.kept(store, turn("t1", "a", "b"))
        await store.update_git(thread_id, {"branch": "topic"})

        again = await self.reopened(store)

        shown = (await again.show(thread_id, turns=False)).git_info
        assert shown is not None
        assert shown.branch == "main"
