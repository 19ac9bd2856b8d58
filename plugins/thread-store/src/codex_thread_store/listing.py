"""List threads from the index, after updating the rows that are older than their files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import attrs

from codex_hookspecs.errors import StorageError
from codex_hookspecs.storage import ThreadPage, UnreadableThread, cursor_after, matches_query, page_of, position_of
from codex_thread_store import layout
from codex_thread_store.index_rows import GIT_COLUMNS, from_row, git_of, to_row
from codex_thread_store.summary import summarize

if TYPE_CHECKING:
    from codex_hookspecs.protocol import Thread
    from codex_hookspecs.storage import ThreadQuery
    from codex_thread_store.index import Index, RowVersion
    from codex_thread_store.index_rows import Row

_State = tuple[int, int]
"""Modification time and size of a file."""
_UNKNOWN: RowVersion = ("", 0, "")


class Listing:
    """Lists the threads of one home.

    :param home: ``$CODEX_HOME``.
    :param warn: called once for each file that can't be read.
    """

    def __init__(self, home: str, index: Index, warn: Callable[[str], None]) -> None:
        self._home = home
        self._index = index
        self._warn = warn
        self._empty: dict[str, _State] = {}
        self._unreadable: dict[str, UnreadableThread] = {}

    def page(self, query: ThreadQuery, names: dict[str, str]) -> ThreadPage:
        """Return one page of threads.

        :param names: names of threads by id.
        :raises StorageError: for an invalid cursor, and when the directory of the threads can't be read.
        """
        after = position_of(query)
        entries = self._entries(archived=query.archived)
        by_update = query.sort_key == "updated_at"
        if not self._refresh(entries, archived=query.archived, changed=by_update):
            return self._with_unreadable(page_of(self.threads(names, archived=query.archived), query), entries)
        limit = max(1, query.limit)
        found: list[Thread] = []
        stale = []
        for row in self._index.sorted_rows(
            archived=query.archived,
            by_update=by_update,
            ascending=query.ascending,
            after=after,
            providers=query.model_providers,
            cwds=query.cwds,
        ):
            entry = entries.get(row["id"])
            if entry is None or entry.path != row["rollout_path"]:
                continue
            if not _is_current(row, entry):
                stale.append(entry)
                thread = self._summary(entry)
                if thread is None:
                    continue
                fresh = to_row(thread, archived=query.archived)
                row = {**row, **fresh, **{name: row[name] for name in GIT_COLUMNS.values()}}  # noqa: PLW2901
            thread = from_row(row, names.get(row["id"]))
            if matches_query(thread, query):
                found.append(thread)
                if len(found) > limit:
                    break
        self._index.put(self._rows(stale, archived=query.archived))
        page = ThreadPage(tuple(found[:limit]), cursor_after(found[limit - 1], query) if len(found) > limit else None)
        return self._with_unreadable(page, entries)

    def threads(self, names: dict[str, str], *, archived: bool) -> Iterator[Thread]:
        """Yield all threads: from the index where a row is current, else from the file."""
        rows = self._index.rows(archived=archived)
        fresh = []
        for thread_id, entry in self._entries(archived=archived).items():
            row = rows.get(thread_id)
            if row is not None and row["rollout_path"] == entry.path and _is_current(row, entry):
                yield from_row(row, names.get(thread_id))
                continue
            thread = self._summary(entry)
            if thread is not None:
                fresh.append(to_row(thread, archived=archived))
                git = thread.git_info if row is None else git_of(row)
                yield attrs.evolve(thread, name=names.get(thread.id), git_info=git)
        self._index.put(fresh)

    def _entries(self, *, archived: bool) -> dict[str, os.DirEntry[str]]:
        try:
            found = layout.list_rollouts(self._home, archived=archived)
        except OSError as error:
            raise StorageError(f"listing the threads in {error.filename}: {error.strerror}") from error
        return dict(reversed(found))  # Of several files with one id, the first is used.

    def _refresh(self, entries: dict[str, os.DirEntry[str]], *, archived: bool, changed: bool) -> bool:
        """Add missing threads to the index.

        :param changed: whether rows that are older than their files are updated, too.
        :return: whether there is an index.
        """
        known = self._index.row_versions(archived=archived)
        if known is None:
            return False
        missing = []
        for thread_id, entry in entries.items():
            path, updated_at, message = known.get(thread_id) or _UNKNOWN
            if path != entry.path or (changed and not _is_up_to_date(updated_at, message, entry)):
                missing.append(entry)
        self._index.put(self._rows(missing, archived=archived))
        return True

    def _rows(self, entries: list[os.DirEntry[str]], *, archived: bool) -> list[Row]:
        threads = filter(None, map(self._summary, entries))
        return [to_row(thread, archived=archived) for thread in threads]

    def _summary(self, entry: os.DirEntry[str]) -> Thread | None:
        """Read the summary of a file; a file without messages is read again only when it has changed."""
        state = _state(entry)
        if self._empty.get(entry.path) == state:
            return None
        self._unreadable.pop(entry.path, None)
        try:
            thread = summarize(entry.path, self._home)
        except StorageError as error:
            thread = None
            moment = 0 if state is None else state[0] // 1_000_000_000
            self._unreadable[entry.path] = UnreadableThread(entry.path, str(error), updated_at=moment)
            self._warn(f"{error}; it is not listed")
        if thread is None and state is not None:
            self._empty[entry.path] = state
        return thread

    def _with_unreadable(self, page: ThreadPage, entries: dict[str, os.DirEntry[str]]) -> ThreadPage:
        if not self._unreadable:
            return page
        unchanged = {entry.path for entry in entries.values() if self._empty.get(entry.path) == _state(entry)}
        return attrs.evolve(page, unreadable=tuple(one for path, one in self._unreadable.items() if path in unchanged))


def _is_current(row: Row, entry: os.DirEntry[str]) -> bool:
    return _is_up_to_date(row["updated_at"], row["first_user_message"], entry)


def _is_up_to_date(updated_at: int, message: str, entry: os.DirEntry[str]) -> bool:
    """Tell whether a row of the index is up to date with its file."""
    state = _state(entry)
    return bool(message) and state is not None and updated_at >= state[0] // 1_000_000_000


def _state(entry: os.DirEntry[str]) -> _State | None:
    try:
        found = entry.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
