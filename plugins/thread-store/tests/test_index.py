"""The index is only ever a help: it follows the files, is shared with Codex, and its loss or damage loses no thread."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from codex_hookspecs.protocol import ThreadTokenUsage, TokenUsage, uuid7
from codex_hookspecs.storage import ThreadMeta, ThreadQuery, UsageCounted
from codex_testkit.suites._store_samples import VERSION, began, said, settings, turn
from codex_thread_store.index import FILE
from codex_thread_store.store import RolloutStore

pytestmark = pytest.mark.anyio

COLUMNS = (
    "id, rollout_path, created_at, updated_at, source, model_provider, cwd, title, sandbox_policy, approval_mode, "
    "tokens_used, has_user_event, archived, archived_at, git_sha, git_branch, git_origin_url, cli_version, "
    "first_user_message, agent_nickname, agent_role, memory_mode, model, reasoning_effort, agent_path"
)
LATER_COLUMNS = ("preview TEXT NOT NULL DEFAULT ''", "recency_at INTEGER NOT NULL DEFAULT 0", "name TEXT")
NOBODY = 65534


class Home:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.warnings: list[str] = []
        self.opened: list[RolloutStore] = []

    def store(self) -> RolloutStore:
        self.opened.append(RolloutStore(str(self.path), warn=self.warnings.append))
        return self.opened[-1]

    async def keep(self, prompt: str = "hello") -> str:
        """Store a thread in a process of its own."""
        store = self.store()
        meta = ThreadMeta(thread_id=uuid7(), settings=settings(), created_at_ms=1_700_000_000_000, cli_version=VERSION)
        writer = await store.create(meta)
        await writer.append(turn("t1", prompt, "hi"))
        await writer.aclose()
        await store.aclose()
        return meta.thread_id

    async def listed(self, **query: Any) -> list[str]:
        store = self.store()
        page = await store.list(ThreadQuery(**query))
        await store.aclose()
        return [thread.id for thread in page.threads]

    def rows(self) -> list[dict[str, Any]]:
        with closing(sqlite3.connect(self.path / FILE)) as database:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute("SELECT * FROM threads")]

    def execute(self, *statements: str) -> None:
        with closing(sqlite3.connect(self.path / FILE, isolation_level=None)) as database:
            for statement in statements:
                database.execute(statement)


@contextmanager
def unprivileged(folder: str) -> Iterator[None]:
    """Work as a user whom permissions hold back, in a directory of their own."""
    if os.geteuid() != 0:
        yield
        return
    os.chown(folder, NOBODY, NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Home]:
    home = Home(tmp_path)
    yield home
    for store in home.opened:
        await store.aclose()


async def test_a_turn_leaves_a_complete_row(home: Home) -> None:
    store = home.store()
    meta = ThreadMeta(thread_id=uuid7(), settings=settings(), created_at_ms=1_700_000_000_000, cli_version=VERSION)
    writer = await store.create(meta)
    usage = TokenUsage(total_tokens=132, input_tokens=120, output_tokens=12)
    counted = UsageCounted("t1", ThreadTokenUsage(total=usage, last=usage))
    begun, *rest = turn("t1", "hello", "hi")
    await writer.append([begun, *rest[:-1], counted, rest[-1]])
    await writer.aclose()
    await store.aclose()

    (row,) = home.rows()

    expected = {
        "id": meta.thread_id,
        "rollout_path": writer.path,
        "created_at": 1_700_000_000,
        "source": "exec",
        "model_provider": "mock",
        "cwd": "/w",
        "title": "hello",
        "first_user_message": "hello",
        "sandbox_policy": '{"type":"workspace-write","writable_roots":["/x"],"network_access":true,'
        '"exclude_tmpdir_env_var":false,"exclude_slash_tmp":false}',
        "approval_mode": "never",
        "tokens_used": 132,
        "archived": 0,
        "cli_version": VERSION,
        "memory_mode": "enabled",
        "model": "gpt-5.2-codex",
        "reasoning_effort": "high",
    }
    assert {key: row[key] for key in expected} == expected
    assert home.warnings == []


async def test_the_database_is_the_one_that_codex_0_118_makes(home: Home) -> None:
    await home.keep()

    with closing(sqlite3.connect(home.path / FILE)) as database:
        columns = [row[1] for row in database.execute("PRAGMA table_info(threads)")]
        applied = database.execute("SELECT count(*), max(version), min(success) FROM _sqlx_migrations").fetchone()
        mode = database.execute("PRAGMA journal_mode").fetchone()
        backfill = database.execute("SELECT id, status FROM backfill_state").fetchall()
        edges = [row[1] for row in database.execute("PRAGMA table_info(thread_spawn_edges)")]

    assert columns == COLUMNS.split(", ")
    assert applied == (22, 22, 1)
    assert mode == ("wal",)
    assert backfill == [(1, "pending")]
    assert edges == ["parent_thread_id", "child_thread_id", "status"]


async def test_a_newer_database_of_codex_is_used_as_it_is(home: Home) -> None:
    await home.keep()
    home.execute(*(f"ALTER TABLE threads ADD COLUMN {column}" for column in LATER_COLUMNS))

    thread_id = await home.keep("second")

    row = next(row for row in home.rows() if row["id"] == thread_id)
    assert (row["preview"], row["name"]) == ("second", None)
    assert len(await home.listed()) == 2
    assert home.warnings == []


@pytest.mark.parametrize(
    "statement",
    ["CREATE TABLE threads (id TEXT PRIMARY KEY, nothing_else TEXT)", "CREATE TABLE other (id TEXT)"],
)
async def test_a_database_of_another_kind_is_left_alone(home: Home, statement: str) -> None:
    home.execute(statement)
    before = (home.path / FILE).read_bytes()

    thread_id = await home.keep()

    assert await home.listed() == [thread_id]
    assert (home.path / FILE).read_bytes() == before
    assert all("its tables are unknown" in warning for warning in home.warnings)
    assert all("threads are listed from their files" in warning for warning in home.warnings)


async def test_a_column_that_must_be_given_but_is_unknown_keeps_us_out(home: Home) -> None:
    home.execute(
        "CREATE TABLE threads (id TEXT PRIMARY KEY, rollout_path TEXT, archived INTEGER, first_user_message TEXT, "
        "brand_new TEXT NOT NULL)"
    )

    thread_id = await home.keep()

    assert await home.listed() == [thread_id]
    assert "brand_new" in home.warnings[0]


@pytest.mark.parametrize("content", [b"this is not a database at all" * 100, b"SQLite format 3\0" + b"\x55" * 5000])
async def test_a_damaged_database_is_put_aside_and_made_anew(home: Home, content: bytes) -> None:
    first = await home.keep()
    for path in home.path.glob(f"{FILE}*"):
        path.unlink()
    (home.path / FILE).write_bytes(content)

    found = await home.listed()

    assert found == [first]
    assert [row["id"] for row in home.rows()] == [first]
    (aside,) = home.path.glob(f"{FILE}.damaged-*")
    assert aside.read_bytes() == content
    assert "was damaged" in home.warnings[0]


async def test_text_that_is_not_unicode_is_indexed_all_the_same(home: Home) -> None:
    thread_id = await home.keep("half \ud83d of it, whole \N{GRINNING FACE}")

    assert await home.listed() == [thread_id]
    assert home.rows()[0]["title"] == "half ? of it, whole \N{GRINNING FACE}"
    assert home.warnings == []


async def test_a_lost_index_is_made_up_for_by_listing(home: Home) -> None:
    ids = {await home.keep(f"number {number}") for number in range(3)}
    (home.path / FILE).unlink()

    assert set(await home.listed()) == ids
    assert {row["id"] for row in home.rows()} == ids


async def test_a_row_that_is_older_than_its_file_is_read_again(home: Home) -> None:
    thread_id = await home.keep()
    home.execute("UPDATE threads SET first_user_message = 'stale', updated_at = 5")

    store = home.store()
    (thread,) = (await store.list(ThreadQuery())).threads
    await store.aclose()

    assert (thread.id, thread.preview) == (thread_id, "hello")
    assert home.rows()[0]["first_user_message"] == "hello"


async def test_a_row_that_is_current_is_taken_from_the_index(home: Home) -> None:
    await home.keep()
    home.execute("UPDATE threads SET first_user_message = 'from the index'")

    store = home.store()
    (thread,) = (await store.list(ThreadQuery())).threads
    await store.aclose()

    assert thread.preview == "from the index"


async def test_a_row_whose_file_is_gone_is_not_listed(home: Home) -> None:
    await home.keep()
    for path in home.path.glob("sessions/*/*/*/*"):
        path.unlink()

    assert await home.listed() == []


async def test_what_real_codex_knew_of_a_thread_survives_archiving(home: Home) -> None:
    thread_id = await home.keep()
    home.execute("UPDATE threads SET memory_mode = 'disabled', tokens_used = 77")

    store = home.store()
    await store.archive(thread_id)
    (archived,) = home.rows()
    await store.unarchive(thread_id)
    await store.aclose()
    (back,) = home.rows()

    assert (archived["archived"], archived["memory_mode"], archived["tokens_used"]) == (1, "disabled", 77)
    assert archived["archived_at"] is not None
    assert archived["rollout_path"] == str(next((home.path / "sessions").glob("*/*/*/*"))).replace(
        "/sessions/2023/11/14/", "/archived_sessions/"
    )
    assert (back["archived"], back["archived_at"], back["memory_mode"]) == (0, None, "disabled")


async def test_a_busy_database_holds_nobody_up_for_long(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    first = await home.keep()
    monkeypatch.setattr("codex_thread_store.index._BUSY_SECONDS", 0.05)
    with closing(sqlite3.connect(home.path / FILE, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")

        second = await home.keep("second")

        other.execute("ROLLBACK")
    assert "added by the next listing" in home.warnings[0]
    assert set(await home.listed()) == {first, second}
    assert {row["id"] for row in home.rows()} == {first, second}


async def test_a_read_only_home_is_listed_from_files() -> None:
    with tempfile.TemporaryDirectory() as folder, unprivileged(folder):
        home = Home(Path(folder))
        thread_id = await home.keep()
        for path in home.path.glob(f"{FILE}*"):
            path.unlink()
        home.path.chmod(0o500)

        found = await home.listed()

        home.path.chmod(0o700)
    assert found == [thread_id]
    assert "threads are listed from their files" in home.warnings[0]


async def test_an_index_that_can_not_be_opened_is_told_once(home: Home) -> None:
    (home.path / FILE).mkdir()
    store = home.store()
    meta = ThreadMeta(thread_id=uuid7(), settings=settings(), created_at_ms=0, cli_version=VERSION)
    writer = await store.create(meta)
    for number in range(3):
        await writer.append(turn(f"t{number}", "a", "b"))
    await writer.aclose()

    assert [thread.id for thread in (await store.list(ThreadQuery())).threads] == [meta.thread_id]
    await store.aclose()
    (warning,) = home.warnings
    assert "threads are listed from their files" in warning


async def test_a_thread_is_in_the_index_before_its_turn_ends(home: Home) -> None:
    store = home.store()
    meta = ThreadMeta(thread_id=uuid7(), settings=settings(), created_at_ms=0, cli_version=VERSION)
    writer = await store.create(meta)
    await writer.append([began("t1"), *said("t1", "hello")])
    await store.aclose()
    await writer.aclose()

    assert [row["title"] for row in home.rows()] == ["hello"]
