"""The thread store: rollout files below a home directory, with an index."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

import attrs

from codex_hookspecs.errors import StorageError, ThreadNotFound
from codex_hookspecs.protocol import Thread, is_uuid
from codex_hookspecs.storage import Record, StoredThread, ThreadMeta, ThreadPage, ThreadQuery
from codex_thread_store import layout
from codex_thread_store.files import codex_lock_path, find_holder
from codex_thread_store.index_rows import GIT_COLUMNS, Row, TrackedRow, git_of, listed_thread, to_row
from codex_thread_store.writer import RolloutWriter

if TYPE_CHECKING:
    from codex_hookspecs.environments import FileSystem
    from codex_hookspecs.protocol import ThreadSettings
    from codex_thread_store.index import Index
    from codex_thread_store.listing import Listing

T = TypeVar("T")

_CLOSE_SECONDS = 5.0
_GIT_SECONDS = 5.0
_MOVES = 3
"""How often a file may be moved while it is read."""


class RolloutStore:
    """Stores threads in rollout files, with an index that can be rebuilt.

    :param home: ``$CODEX_HOME``.
    :param warn: writes a warning to the log about a failure that does not affect threads.
    :param files: returns the file system of a thread's environment, for reading the state of its work tree.
    """

    def __init__(
        self,
        home: str,
        *,
        warn: Callable[[str], None],
        files: Callable[[ThreadSettings], Awaitable[FileSystem]] | None = None,
    ) -> None:
        self._home = home
        self._files = files
        self._warn = warn
        self._index: Index | None = None
        self._listed: Listing | None = None
        self._updates: set[asyncio.Future[None]] = set()

    async def create(self, meta: ThreadMeta) -> RolloutWriter:
        """Create a thread; its file is created with its first item or message."""
        path = layout.new_path(self._home, meta.thread_id, meta.created_at_ms)
        tracked: TrackedRow | None = None

        def on_appended(records: Sequence[Record], now: int) -> None:
            nonlocal tracked
            if tracked is None:
                tracked = TrackedRow(listed_thread(writer.meta or meta, path))
            self._update_index(tracked, records, now)

        writer = RolloutWriter(
            path, meta.thread_id, meta=meta, on_appended=on_appended, describe=self._with_git, warn=self._warn
        )
        return writer

    async def open(self, thread_id: str, *, cli_version: str) -> tuple[StoredThread, RolloutWriter]:
        """Read a thread and lock it for writing."""
        path = self._path(thread_id, archived=False)
        tracked: TrackedRow | None = None

        def on_appended(records: Sequence[Record], now: int) -> None:
            if tracked is not None:
                self._update_index(tracked, records, now)

        writer = RolloutWriter(path, thread_id, meta=None, on_appended=on_appended, warn=self._warn)
        writer.take_over(self._home)
        try:
            stored = await asyncio.to_thread(self._read, path, thread_id)
            writer.ordinal = await asyncio.to_thread(_next_ordinal, path)
        except BaseException:
            await writer.aclose()
            raise
        tracked = TrackedRow(stored.thread)
        return stored, writer

    async def fork(self, thread_id: str, meta: ThreadMeta) -> tuple[StoredThread, RolloutWriter]:
        """Copy a thread into a new file."""
        from codex_thread_store.forking import copy_rollout

        source = self._path(thread_id, archived=False)
        target = layout.new_path(self._home, meta.thread_id, meta.created_at_ms)
        meta = await self._with_git(meta)
        await asyncio.to_thread(copy_rollout, source, self._home, target, meta)
        stored, writer = await self.open(meta.thread_id, cli_version=meta.cli_version)
        if stored.thread.preview:
            self._put_later(to_row(stored.thread, archived=False))
        return stored, writer

    async def identify(self, path: str) -> str:
        """Return the id of the thread in a file below the home."""
        return await asyncio.to_thread(self._identify, path)

    async def read(self, thread_id: str) -> StoredThread:
        """Read a thread, also an archived one, without locking it."""
        return await asyncio.to_thread(self._at_file, thread_id, lambda path: self._read(path, thread_id))

    async def show(self, thread_id: str, *, turns: bool) -> Thread:
        """Return a thread as clients see it, also an archived one."""
        return await asyncio.to_thread(self._at_file, thread_id, lambda path: self._show(path, thread_id, turns=turns))

    async def list(self, query: ThreadQuery) -> ThreadPage:
        """Return one page of threads."""
        return await asyncio.to_thread(self._list, query)

    async def find(self, name_or_id: str, *, cwd: str | None = None) -> str | None:
        """Return the id of the newest thread with this id or name."""
        return await asyncio.to_thread(self._find, name_or_id, cwd)

    async def archive(self, thread_id: str) -> None:
        """Archive a thread: move its file to ``archived_sessions``."""
        await asyncio.to_thread(self._archive, thread_id)

    async def unarchive(self, thread_id: str) -> Thread:
        """Unarchive a thread: move its file back to ``sessions``."""
        return await asyncio.to_thread(self._unarchive, thread_id)

    async def set_name(self, thread_id: str, name: str) -> None:
        """Name a thread."""
        from codex_thread_store.names import write_name

        write_name(self._home, thread_id, name)

    async def update_git(self, thread_id: str, changes: Mapping[str, str | None]) -> Thread:
        """Change the columns ``git_*`` of the index; the file keeps the state at the start."""
        return await asyncio.to_thread(self._update_git, thread_id, changes)

    async def aclose(self) -> None:
        """Finish pending updates of the index and close it; with a timeout, since the index can be updated later."""
        if self._updates:
            await asyncio.wait(self._updates, timeout=_CLOSE_SECONDS)
        if self._index is not None:
            self._index.close()

    async def _with_git(self, meta: ThreadMeta) -> ThreadMeta:
        if meta.git is not None or self._files is None:
            return meta
        from codex_thread_store.git_facts import read_git_info

        try:
            async with asyncio.timeout(_GIT_SECONDS):
                return attrs.evolve(meta, git=await read_git_info(await self._files(meta.settings), meta.settings.cwd))
        except Exception as error:  # A failure of the thread's environment must not prevent storing the thread.
            reason = str(error) or type(error).__name__
            self._warn(f"reading the state of the git work tree of thread {meta.thread_id}: {reason}")
            return meta

    def _update_index(self, tracked: TrackedRow, records: Sequence[Record], now: int) -> None:
        """Update the index with records in the background."""
        if tracked.take(records, now):
            self._put_later(dict(tracked.row))

    def _put_later(self, row: Row) -> None:
        update = asyncio.get_running_loop().run_in_executor(None, lambda: self._open_index().put([row]))
        self._updates.add(update)
        update.add_done_callback(self._updates.discard)

    def _open_index(self) -> Index:
        from codex_thread_store.index import Index

        if self._index is None:
            self._index = Index(self._home, self._warn)
        return self._index

    def _at_file(self, thread_id: str, read: Callable[[str], T]) -> T:
        """Read a thread's file, again when it was archived or unarchived meanwhile."""
        for _ in range(_MOVES):
            try:
                return read(self._path(thread_id))
            except StorageError as error:
                if not isinstance(error.__cause__, FileNotFoundError):
                    raise
        return read(self._path(thread_id))

    def _read(self, path: str, thread_id: str) -> StoredThread:
        from codex_thread_store.names import read_names
        from codex_thread_store.rollout_reader import read_thread

        name = read_names(self._home).get(thread_id)
        stored = read_thread(path, self._home, name=name, warn=self._warn)
        return attrs.evolve(stored, thread=self._with_shown_git(stored.thread))

    def _with_shown_git(self, thread: Thread) -> Thread:
        """Return a thread with the state of the work tree that clients have set, if it is in the index."""
        row = self._open_index().row(thread.id)
        return thread if row is None else attrs.evolve(thread, git_info=git_of(row))

    def _show(self, path: str, thread_id: str, *, turns: bool) -> Thread:
        from codex_thread_store.names import read_names
        from codex_thread_store.summary import summarize

        name = read_names(self._home).get(thread_id)
        summary = None if turns else summarize(path, self._home)
        if summary is not None:
            return self._with_shown_git(attrs.evolve(summary, name=name))
        from codex_thread_store.rollout_reader import read_thread

        thread = read_thread(path, self._home, name=name, warn=self._warn, history=False).thread
        thread = self._with_shown_git(thread)
        return self._with_running_turn(thread, path) if turns else attrs.evolve(thread, turns=())

    def _with_running_turn(self, thread: Thread, path: str) -> Thread:
        """Return a thread whose last turn is in progress if it has no end and another process is writing the file."""
        last = thread.turns[-1] if thread.turns else None
        if last is None or last.status != "interrupted" or last.completed_at is not None:
            return thread
        holder = find_holder(path) or find_holder(codex_lock_path(self._home, thread.id))
        if holder in (None, os.getpid()):
            return thread
        return attrs.evolve(thread, turns=(*thread.turns[:-1], attrs.evolve(last, status="inProgress")))

    def _identify(self, path: str) -> str:
        try:
            os.stat(path)
            thread_id = layout.parse_thread_id(os.path.basename(path))
            if thread_id is not None and os.path.samefile(path, self._path(thread_id)):
                return thread_id
            reason = f"it is no thread's file below {self._home}"
        except OSError as error:
            reason = f"{error.strerror} (os error {error.errno})"
        except (ValueError, StorageError) as error:
            reason = str(error)
        raise ThreadNotFound(f"failed to load rollout `{path}`: {reason}")

    def _update_git(self, thread_id: str, changes: Mapping[str, str | None]) -> Thread:
        values = {GIT_COLUMNS[name]: value for name, value in changes.items()}
        path = self._path(thread_id)
        thread_id = thread_id.lower()
        index = self._open_index()
        if not index.change(thread_id, values):
            thread = self._show(path, thread_id, turns=False)
            index.put([to_row(thread, archived=_is_archived(path)) | values])
        row = index.row(thread_id)
        if row is None or any(row[name] != value for name, value in values.items()):
            raise StorageError(f"changing the index of threads in {self._home}: it can't be written")
        return self._show(path, thread_id, turns=False)

    def _path(self, thread_id: str, *, archived: bool | None = None) -> str:
        """Find a thread's file.

        :param archived: whether to search among archived threads; all threads when ``None``.
        """
        places = (False, True) if archived is None else (archived,)
        if is_uuid(thread_id):
            for place in places:
                path = self._file(thread_id.lower(), archived=place)
                if path is not None:
                    return path
        kind = "archived rollout" if archived else "rollout"
        raise ThreadNotFound(f"no {kind} found for thread id {thread_id}", thread_id=thread_id)

    def _file(self, thread_id: str, *, archived: bool) -> str | None:
        try:
            return layout.find(self._home, thread_id, archived=archived)
        except OSError as error:
            raise StorageError(
                f"looking for the file of thread {thread_id} in {error.filename}: {error.strerror}", thread_id=thread_id
            ) from error

    def _list(self, query: ThreadQuery) -> ThreadPage:
        from codex_thread_store.names import read_names

        return self._listing().page(query, read_names(self._home))

    def _listing(self) -> Listing:
        from codex_thread_store.listing import Listing

        if self._listed is None:
            self._listed = Listing(self._home, self._open_index(), self._warn)
        return self._listed

    def _find(self, name_or_id: str, cwd: str | None) -> str | None:
        from codex_thread_store.names import read_names

        if is_uuid(name_or_id):
            return name_or_id.lower() if self._file(name_or_id.lower(), archived=False) else None
        names = read_names(self._home)
        if name_or_id not in names.values():
            return None
        named = [
            (thread.updated_at, thread.id)
            for thread in self._listing().threads(names, archived=False)
            if thread.name == name_or_id and cwd in (None, thread.cwd)
        ]
        return max(named)[1] if named else None

    def _archive(self, thread_id: str) -> None:
        from codex_thread_store.archiving import move_thread

        path = self._path(thread_id, archived=False)
        target = move_thread(self._home, thread_id.lower(), path, archive=True)
        self._update_moved(target, archived=True)

    def _unarchive(self, thread_id: str) -> Thread:
        from codex_thread_store.archiving import move_thread

        path = self._path(thread_id, archived=True)
        target = move_thread(self._home, thread_id.lower(), path, archive=False)
        self._update_moved(target, archived=False)
        return self._show(target, thread_id.lower(), turns=False)

    def _update_moved(self, path: str, *, archived: bool) -> None:
        from codex_thread_store.summary import summarize

        try:
            thread = summarize(path, self._home)
        except StorageError as error:
            self._warn(f"{error}; it is moved, but not in the index")
            return
        if thread is not None:
            row = to_row(thread, archived=archived)
            kept = self._open_index().row(thread.id)
            moved = ("id", "rollout_path", "archived", "archived_at")
            self._open_index().put([row if kept is None else {**kept, **{key: row[key] for key in moved}}])


def _is_archived(path: str) -> bool:
    return os.path.basename(os.path.dirname(path)) == layout.ARCHIVED


def _next_ordinal(path: str) -> int | None:
    from codex_thread_store.origins import next_ordinal
    from codex_thread_store.rollout_reader import read_lines

    return next_ordinal(read_lines(path))
