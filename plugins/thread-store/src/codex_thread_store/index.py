"""An index of all threads in SQLite; the rollout files are authoritative, so the index can be rebuilt."""

from __future__ import annotations

# The public package ``sqlite3`` adds date adapters, which are not needed, and takes twice as long to import.
import _sqlite3 as sqlite3
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")

FILE = "state_5.sqlite"
_BUSY_SECONDS = 2.0
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

_KEPT = ("id", "git_sha", "git_branch", "git_origin_url")
"""Columns that an update leaves as they are."""

_ROWS = 128
"""Number of rows that are read at once."""

Row = dict[str, Any]
"""Values of a thread's row by column name; columns that the database does not have are ignored."""

RowVersion = tuple[str, int, str]
"""What tells whether a row is current: path of the rollout file, time of its last change in seconds, first message."""


class Index:
    """The index of one home. Its methods block; they may be called from any thread.

    When the database can't be used (a read-only home, an unknown schema), a warning is given once and the index is
    disabled. A damaged database is renamed and a new one created.

    :param home: ``$CODEX_HOME``.
    :param warn: writes a warning to the log.
    """

    def __init__(self, home: str, warn: Callable[[str], None]) -> None:
        self._path = os.path.join(home, FILE)
        self._warn = warn
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._columns: frozenset[str] = frozenset()
        self._off = False

    def put(self, rows: Iterable[Row]) -> None:
        """Insert or update rows; the state of the work tree in existing rows is kept, since clients may change it."""
        entries = list(rows)
        if entries:
            self._attempt(lambda connection: self._put(connection, entries), None)

    def change(self, thread_id: str, values: Row) -> bool:
        """Change columns of a row.

        :return: whether there is such a row.
        """
        sets = ", ".join(f"{name} = ?" for name in values)

        def update(connection: sqlite3.Connection) -> bool:
            statement = f"UPDATE threads SET {sets} WHERE id = ?"  # noqa: S608
            cursor = connection.execute(statement, [*map(_to_sqlite, values.values()), thread_id])
            return bool(cursor.rowcount)

        return self._attempt(update, default=False)

    def row(self, thread_id: str) -> Row | None:
        """Return the row of a thread, or ``None``."""
        return next(iter(self._select("SELECT * FROM threads WHERE id = ?", [thread_id])), None)

    def rows(self, *, archived: bool) -> dict[str, Row]:
        """Return the rows of all archived, or all other, threads by thread id; empty when there is no index."""

        return {row["id"]: row for row in self._select("SELECT * FROM threads WHERE archived = ?", [int(archived)])}

    def row_versions(self, *, archived: bool) -> dict[str, RowVersion] | None:
        """Return the versions of rows by thread id; ``None`` when there is no index."""
        columns = "id, rollout_path, updated_at, first_user_message"

        def read(connection: sqlite3.Connection) -> dict[str, RowVersion]:
            cursor = connection.execute(f"SELECT {columns} FROM threads WHERE archived = ?", (archived,))  # noqa: S608
            return {thread_id: (path, updated_at, message) for thread_id, path, updated_at, message in cursor}

        return self._attempt(read, None)

    def sorted_rows(
        self,
        *,
        archived: bool,
        by_update: bool,
        ascending: bool = False,
        after: tuple[int, str] | None = None,
        providers: Sequence[str] | None = None,
        cwds: Sequence[str] | None = None,
    ) -> Iterator[Row]:
        """Yield rows in order of time, reading them lazily.

        :param by_update: sort by the time of the last change instead of the creation.
        :param ascending: oldest first instead of newest first.
        :param after: time and id of a row; only those after it are returned.
        :param providers: only threads of these model providers.
        :param cwds: only threads of these working directories.
        """
        order, beyond = ("ASC", ">") if ascending else ("DESC", "<")
        key = "updated_at" if by_update else "created_at"
        # The plus keeps SQLite from using the index on ``archived``, so that it uses the one that sorts by time.
        conditions, values = ["+archived = ?"], [int(archived)]
        if providers:
            conditions.append(f"+model_provider IN ({', '.join('?' * len(providers))})")
            values += map(_to_sqlite, providers)
        if cwds is not None:
            conditions.append(f"+cwd IN ({', '.join('?' * len(cwds))})")
            values += map(_to_sqlite, cwds)
        while True:
            more = [*conditions, f"({key}, id) {beyond} (?, ?)"] if after else conditions
            rows = self._select(
                f"SELECT * FROM threads WHERE {' AND '.join(more)} ORDER BY {key} {order}, id {order} LIMIT {_ROWS}",  # noqa: S608
                [*values, *(after or ())],
            )
            yield from rows
            if len(rows) < _ROWS:
                return
            after = rows[-1][key], rows[-1]["id"]

    def close(self) -> None:
        """Close the database; may be called twice."""
        with self._lock:
            self._off = True
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _select(self, statement: str, values: list[Any]) -> list[Row]:
        def read(connection: sqlite3.Connection) -> list[Row]:
            cursor = connection.execute(statement, values)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, found, strict=True)) for found in cursor]

        return self._attempt(read, [])

    def _attempt(self, work: Callable[[sqlite3.Connection], T], default: T) -> T:
        with self._lock:
            for again in (True, False):
                if self._off:
                    return default
                try:
                    return work(self._open())
                except sqlite3.Error as error:
                    if not (again and self._move_aside(error)):
                        self._fail(error)
        return default

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._make_private()
            connection = sqlite3.connect(
                self._path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            try:
                self._columns = _prepare(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _make_private(self) -> None:
        with suppress(OSError):  # The file exists already, or opening the database will report the error.
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), 0o600))

    def _put(self, connection: sqlite3.Connection, rows: list[Row]) -> None:
        connection.execute("BEGIN IMMEDIATE")
        try:
            for row in rows:
                known = [name for name in row if name in self._columns]
                changed = ", ".join(f"{name} = excluded.{name}" for name in known if name not in _KEPT)
                connection.execute(
                    f"INSERT INTO threads ({', '.join(known)}) VALUES ({', '.join('?' * len(known))}) "  # noqa: S608
                    f"ON CONFLICT(id) DO UPDATE SET {changed}",
                    [_to_sqlite(row[name]) for name in known],
                )
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    def _move_aside(self, error: sqlite3.Error) -> bool:
        """Rename a damaged database.

        :return: whether it was damaged and could be renamed.
        """
        if getattr(error, "sqlite_errorcode", None) not in _DAMAGED:
            return False
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        aside = f"{self._path}.damaged-{int(time.time())}"
        try:
            os.replace(self._path, aside)
            for tail in ("-wal", "-shm"):
                if os.path.exists(self._path + tail):
                    os.replace(self._path + tail, aside + tail)
        except OSError:
            return False
        self._warn(f"the thread index {self._path} was damaged ({error}); it is renamed to {aside} and created again")
        return True

    def _fail(self, error: sqlite3.Error) -> None:
        busy = getattr(error, "sqlite_errorcode", None) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
        self._off = not busy
        what = "this change is added by the next listing" if busy else "threads are listed from their files"
        self._warn(f"the thread index {self._path} can't be used ({error}); {what}")


def _to_sqlite(value: Any) -> Any:
    """Convert a value for SQLite: text must be valid Unicode, which a directory name need not be."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) and not value.isascii() else value


def _prepare(connection: sqlite3.Connection) -> frozenset[str]:
    """Create the tables of an empty database and return the columns of ``threads``.

    :raises sqlite3.Error: when the database can't be used, or its schema is unknown.
    """
    if _is_empty(connection):
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("BEGIN IMMEDIATE")
        if _is_empty(connection):
            from codex_thread_store.schema import statements

            for statement in statements():
                connection.execute(statement)
        connection.execute("COMMIT")
    columns = _thread_columns(connection)
    connection.execute("PRAGMA synchronous = NORMAL")
    missing = {"id", "rollout_path", "archived", "first_user_message"} - columns.keys()
    foreign = [name for name, needed in columns.items() if needed and name not in ROW_COLUMNS]
    if missing or foreign:
        raise sqlite3.OperationalError(f"its tables are unknown: {', '.join(sorted(missing) or foreign)}")
    return frozenset(columns)


def _is_empty(connection: sqlite3.Connection) -> bool:
    return not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]


def _thread_columns(connection: sqlite3.Connection) -> dict[str, bool]:
    """Return the columns of ``threads`` and whether a row must give them."""
    rows = connection.execute("PRAGMA table_info(threads)").fetchall()
    return {name: bool(not_null) and default is None for _, name, _, not_null, default, _ in rows}


ROW_COLUMNS = frozenset(
    (
        *("id", "rollout_path", "created_at", "updated_at", "source", "model_provider", "cwd", "title"),
        *("sandbox_policy", "approval_mode", "tokens_used", "archived", "archived_at"),
        *("git_sha", "git_branch", "git_origin_url", "cli_version", "first_user_message", "preview"),
        *("agent_nickname", "agent_role", "model", "reasoning_effort"),
    )
)
"""Columns that rows of this program may have."""
