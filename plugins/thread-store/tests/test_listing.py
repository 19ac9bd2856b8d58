"""Listings show what is there, skip what can't be read, and ask the index for a page instead of for everything."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from codex_hookspecs.protocol import uuid7
from codex_hookspecs.storage import ThreadMeta, ThreadQuery
from codex_testkit.suites._store_samples import VERSION, settings, turn
from codex_thread_store import listing
from codex_thread_store.index import FILE
from codex_thread_store.store import RolloutStore

pytestmark = pytest.mark.anyio


@pytest.fixture
def warnings() -> list[str]:
    return []


@pytest.fixture
async def store(tmp_path: Path, warnings: list[str]) -> AsyncIterator[RolloutStore]:
    store = RolloutStore(str(tmp_path), warn=warnings.append)
    yield store
    await store.aclose()


async def kept(store: RolloutStore, created_at: int = 1_700_000_000) -> tuple[str, Path]:
    meta = ThreadMeta(thread_id=uuid7(), settings=settings(), created_at_ms=created_at * 1000, cli_version=VERSION)
    writer = await store.create(meta)
    await writer.append(turn("t1", "a", "b"))
    await writer.aclose()
    return meta.thread_id, Path(writer.path)


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[100:])


def a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def a_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("damage", [emptied, cut, a_pipe, a_directory])
@pytest.mark.parametrize("key", ["created_at", "updated_at"])
@pytest.mark.parametrize("indexed", [True, False])
async def test_what_can_not_be_read_is_told_and_not_listed(
    store: RolloutStore, warnings: list[str], damage: Callable[[Path], None], key: str, indexed: bool, tmp_path: Path
) -> None:
    good, _ = await kept(store)
    _, bad = await kept(store)
    await store.aclose()
    damage(bad)
    os.utime(bad, (2_000_000_000, 2_000_000_000))
    if not indexed:
        (tmp_path / FILE).unlink()
        (tmp_path / FILE).mkdir()
    again = RolloutStore(str(tmp_path), warn=warnings.append)

    first, second = [await again.list(ThreadQuery(sort_key=key)) for _ in range(2)]  # type: ignore[arg-type]
    await again.aclose()

    assert [thread.id for thread in first.threads] == [good]
    assert [(one.path, one.updated_at) for one in first.unreadable] == [(str(bad), 2_000_000_000)]
    assert (second.threads, second.unreadable) == (first.threads, first.unreadable)
    assert [str(bad) in warning for warning in warnings if "not listed" in warning] == [True]


async def test_what_was_mended_is_listed_again(store: RolloutStore) -> None:
    thread_id, path = await kept(store)
    content = path.read_bytes()
    path.write_bytes(b"")
    os.utime(path, (2_000_000_000, 2_000_000_000))
    assert (await store.list(ThreadQuery())).unreadable

    path.write_bytes(content)
    page = await store.list(ThreadQuery())

    assert [thread.id for thread in page.threads] == [thread_id]
    assert page.unreadable == ()


async def test_pages_are_the_same_with_and_without_an_index(store: RolloutStore, tmp_path: Path) -> None:
    for number in range(23):
        await kept(store, 1_700_000_000 + number // 3)
    await store.aclose()
    plain = tmp_path / "plain"
    plain.mkdir()
    shutil.copytree(tmp_path / "sessions", plain / "sessions", copy_function=shutil.copy2)
    (plain / FILE).mkdir()

    async def pages(home: Path, key: str) -> list[str]:
        reader = RolloutStore(str(home), warn=lambda _: None)
        found, cursor = [], None
        while True:
            page = await reader.list(ThreadQuery(limit=4, cursor=cursor, sort_key=key))  # type: ignore[arg-type]
            found += [thread.id for thread in page.threads]
            cursor = page.next_cursor
            if cursor is None:
                await reader.aclose()
                return found

    for key in ("created_at", "updated_at"):
        with_index = await pages(tmp_path, key)
        assert with_index == await pages(plain, key)
        assert len(set(with_index)) == len(with_index) == 23


async def test_a_page_reads_no_file_and_few_rows_when_the_index_is_current(
    store: RolloutStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(300):
        await kept(store, 1_700_000_000 + number)
    await store.list(ThreadQuery())
    created: list[str] = []
    original = listing.from_row
    monkeypatch.setattr(listing, "from_row", lambda row, name: created.append(row["id"]) or original(row, name))
    monkeypatch.setattr(listing, "summarize", lambda *_: pytest.fail("a file was read"))

    page = await store.list(ThreadQuery(limit=5))

    assert len(page.threads) == 5
    assert len(created) == 6


async def test_threads_that_continue_each_other_in_a_circle_are_listed(store: RolloutStore, tmp_path: Path) -> None:
    first, path = await kept(store)
    second, other = await kept(store)
    await store.aclose()
    for each, origin in ((path, second), (other, first)):
        lines = each.read_text().splitlines()
        fork = f'"forked_from_id":"{origin}","forked_from_ordinal_exclusive":0,'
        each.write_text(lines[0].replace('"payload":{', '"payload":{' + fork, 1) + "\n")
    (tmp_path / FILE).unlink()
    again = RolloutStore(str(tmp_path), warn=print)

    page = await again.list(ThreadQuery())
    stored = await again.read(first)
    await again.aclose()

    assert (page.threads, page.unreadable, stored.history) == ((), (), ())
