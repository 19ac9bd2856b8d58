"""The memory store holds the thread store's contract."""

from __future__ import annotations

from pathlib import Path

import pytest

from codex_testkit.memory.store import MemoryThreadStore
from codex_testkit.suites.store import ThreadStoreContract


class TestMemoryThreadStore(ThreadStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> MemoryThreadStore:
        return MemoryThreadStore()
