"""Keeps threads in one SQLite database: a row for each thread, a row for each record."""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import get_args

import attrs

from codex_hookspecs.errors import StorageError, ThreadBusy, ThreadNotFound
from codex_hookspecs.protocol import GitInfo, Thread
from codex_hookspecs.storage import (
    Observed,
    Record,
    Replay,
    StoredThread,
    ThreadMeta,
    ThreadPage,
    ThreadQuery,
    begins_thread,
    page_of,
)
from codex_hookspecs.wire import decode, encode

KINDS = {kind.__name__: kind for kind in get_args(Record)}
SCHEMA = """
CREATE TABLE IF NOT EXISTS threads (
    id TEXT PRIMARY KEY, meta TEXT NOT NULL, name TEXT, begun INTEGER NOT NULL DEFAULT 0,
    archived INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS records (
    number INTEGER PRIMARY KEY, thread TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL, at_ms INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS records_of_thread ON records (thread, number);
"""


class SqliteStore:
    """One connection; each call is one short transaction.

    :param file: the database; locks of threads that are being written lie beside it.
    """

    def __init__(self, file: Path) -> None:
        self._locks = file.with_name(file.name + ".locks")
        self._locks.mkdir(parents=True, exist_ok=True)
        try:
            self._database = sqlite3.connect(file, isolation_level=None)
            self._database.executescript("PRAGMA journal_mode = WAL;" + SCHEMA)
        except sqlite3.Error as error:
            raise StorageError(f"{file} can't be used as a database of threads: {error}") from error

    async def create(self, meta: ThreadMeta) -> SqliteWriter:
        writer = SqliteWriter(self, meta.thread_id)
        try:
            self.change("INSERT INTO threads (id, meta) VALUES (?, ?)", meta.thread_id, json.dumps(encode(meta)))
        except StorageError:
            await writer.aclose()
            raise
        return writer

    async def open(self, thread_id: str, *, cli_version: str) -> tuple[StoredThread, SqliteWriter]:
        self.find_unarchived(thread_id)
        stored = await self.read(thread_id)
        return stored, SqliteWriter(self, thread_id)

    async def fork(self, thread_id: str, meta: ThreadMeta) -> tuple[StoredThread, SqliteWriter]:
        self.find_unarchived(thread_id)
        writer = await self.create(meta)
        copy = (
            "INSERT INTO records (thread, kind, body, at_ms) "
            "SELECT ?, kind, body, at_ms FROM records WHERE thread = ? ORDER BY number"
        )
        self.change(copy, meta.thread_id, thread_id)
        self.change("UPDATE threads SET begun = 1 WHERE id = ?", meta.thread_id)
        return await self.read(meta.thread_id), writer

    async def identify(self, path: str) -> str:
        raise ThreadNotFound(f"failed to load rollout `{path}`: threads are kept in a database, not in files")

    async def read(self, thread_id: str) -> StoredThread:
        found = self.rows("SELECT meta, name FROM threads WHERE id = ? AND begun", thread_id)
        if not found:
            raise ThreadNotFound(f"no rollout found for thread id {thread_id}", thread_id=thread_id)
        meta, name = found[0]
        replay = Replay(decode(ThreadMeta, json.loads(meta)))
        for kind, body, at_ms in self.rows(
            "SELECT kind, body, at_ms FROM records WHERE thread = ? ORDER BY number", thread_id
        ):
            replay.take(decode(KINDS[kind], json.loads(body)), at_ms=at_ms)
        return replay.result(name=name)

    async def show(self, thread_id: str, *, turns: bool) -> Thread:
        thread = (await self.read(thread_id)).thread
        return thread if turns else attrs.evolve(thread, turns=())

    async def list(self, query: ThreadQuery) -> ThreadPage:
        ids = self.rows("SELECT id FROM threads WHERE begun AND archived = ?", query.archived)
        return page_of([await self.show(thread_id, turns=False) for (thread_id,) in ids], query)

    async def find(self, name_or_id: str, *, cwd: str | None = None) -> str | None:
        if self.rows("SELECT id FROM threads WHERE id = ? AND begun AND NOT archived", name_or_id):
            return name_or_id
        named = self.rows("SELECT id FROM threads WHERE name = ? AND begun AND NOT archived", name_or_id)
        threads = [await self.show(thread_id, turns=False) for (thread_id,) in named]
        newest = page_of(
            threads, ThreadQuery(cwds=None if cwd is None else (cwd,), limit=1, sort_key="updated_at")
        ).threads
        return newest[0].id if newest else None

    async def archive(self, thread_id: str) -> None:
        self.find_unarchived(thread_id)
        os.close(self.lock(thread_id))  # raises if there is a writer
        self.change("UPDATE threads SET archived = 1 WHERE id = ?", thread_id)

    async def unarchive(self, thread_id: str) -> Thread:
        if not self.change("UPDATE threads SET archived = 0 WHERE id = ? AND archived", thread_id):
            raise ThreadNotFound(f"no archived rollout found for thread id {thread_id}", thread_id=thread_id)
        return await self.show(thread_id, turns=False)

    async def set_name(self, thread_id: str, name: str) -> None:
        self.change("UPDATE threads SET name = ? WHERE id = ?", name, thread_id)

    async def update_git(self, thread_id: str, changes: Mapping[str, str | None]) -> Thread:
        await self.read(thread_id)
        [(text,)] = self.rows("SELECT meta FROM threads WHERE id = ?", thread_id)
        meta = decode(ThreadMeta, json.loads(text))
        git = attrs.evolve(meta.git or GitInfo(), **changes)
        meta = attrs.evolve(meta, git=None if git == GitInfo() else git)
        self.change("UPDATE threads SET meta = ? WHERE id = ?", json.dumps(encode(meta)), thread_id)
        return await self.show(thread_id, turns=False)

    async def aclose(self) -> None:
        self._database.close()

    def find_unarchived(self, thread_id: str) -> None:
        if not self.rows("SELECT id FROM threads WHERE id = ? AND begun AND NOT archived", thread_id):
            raise ThreadNotFound(f"no rollout found for thread id {thread_id}", thread_id=thread_id)

    def rows(self, statement: str, *values: object) -> Sequence[tuple]:
        try:
            return self._database.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise StorageError(f"the database of threads can't be read: {error}") from error

    def change(self, statement: str, *values: object) -> int:
        try:
            return self._database.execute(statement, values).rowcount
        except sqlite3.Error as error:
            raise StorageError(f"the database of threads can't be written: {error}") from error

    def keep(self, thread_id: str, records: Sequence[Record]) -> None:
        now = time.time_ns() // 1_000_000
        rows = [(thread_id, type(record).__name__, json.dumps(encode(record)), now) for record in records]
        try:
            self._database.execute("BEGIN IMMEDIATE")
            with self._database:  # commits, or takes everything back
                self._database.executemany("INSERT INTO records (thread, kind, body, at_ms) VALUES (?, ?, ?, ?)", rows)
                if any(map(begins_thread, records)):
                    self._database.execute("UPDATE threads SET begun = 1 WHERE id = ?", (thread_id,))
        except sqlite3.Error as error:
            raise StorageError(f"the thread can't be kept: {error}", thread_id=thread_id) from error

    def lock(self, thread_id: str) -> int:
        """Take the thread; the lock goes with the process, whatever becomes of it."""
        descriptor = os.open(self._locks / thread_id, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            raise ThreadBusy(f"thread {thread_id} is being written already", thread_id=thread_id) from error
        return descriptor


class SqliteWriter:
    """The one writer of a thread, in all processes."""

    path = None

    def __init__(self, store: SqliteStore, thread_id: str) -> None:
        self._store = store
        self._thread_id = thread_id
        self._lock: int | None = store.lock(thread_id)
        self._waiting: list[Record] = []

    async def begin(self) -> None:
        """There is no file that others could read."""

    async def append(self, records: Sequence[Record]) -> str | None:
        if self._lock is None:
            raise StorageError(f"thread {self._thread_id} is closed", thread_id=self._thread_id)
        # Records that can't be stored now are stored with the next ones; the host does not repeat them.
        self._waiting += [each for each in records if not isinstance(each, Observed)]
        self._store.keep(self._thread_id, self._waiting)
        self._waiting.clear()
        return None

    async def aclose(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
