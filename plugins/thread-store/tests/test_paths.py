"""A client names a thread by its file; a path that is none of a thread's is told without being read."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from codex_hookspecs.errors import ThreadNotFound
from codex_hookspecs.protocol import uuid7
from codex_hookspecs.storage import ThreadMeta
from codex_testkit.suites._store_samples import VERSION, settings, turn
from codex_thread_store.store import RolloutStore


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[RolloutStore]:
    opened = RolloutStore(str(tmp_path / "home"), warn=print)
    yield opened
    await opened.aclose()


async def kept(store: RolloutStore) -> tuple[str, Path]:
    thread_id = uuid7()
    meta = ThreadMeta(thread_id=thread_id, settings=settings(), created_at_ms=0, cli_version=VERSION)
    writer = await store.create(meta)
    await writer.append(turn("t1", "a", "b"))
    await writer.aclose()
    return thread_id, Path(writer.path)


async def test_a_thread_is_known_by_its_file_also_when_it_is_archived(store: RolloutStore, tmp_path: Path) -> None:
    thread_id, path = await kept(store)
    link = tmp_path / path.name
    link.symlink_to(path)

    assert await store.identify(str(path)) == await store.identify(str(link)) == thread_id
    await store.archive(thread_id)
    assert await store.identify(str(tmp_path / "home/archived_sessions" / path.name)) == thread_id


async def test_any_other_path_is_refused(store: RolloutStore, tmp_path: Path) -> None:
    _, path = await kept(store)
    copy = tmp_path / path.name
    shutil.copy(path, copy)
    pipe = path.with_name(path.name.replace(path.name[-20:-6], "0" * 14))
    os.mkfifo(pipe)

    for other in (str(copy), str(pipe), "/dev/zero", str(tmp_path), "\0", "", f"{path}/x"):
        with pytest.raises(ThreadNotFound, match="failed to load rollout"):
            await store.identify(other)
