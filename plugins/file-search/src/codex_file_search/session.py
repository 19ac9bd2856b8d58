"""A search whose query changes while its user types."""

from __future__ import annotations

import asyncio
import os
from threading import Event
from typing import TYPE_CHECKING

from codex_file_search.ranking import rank
from codex_file_search.tree_walk import walk
from codex_hookspecs.protocol import (
    FuzzyFileSearchResult,
    FuzzyFileSearchSessionCompletedNotification,
    FuzzyFileSearchSessionUpdatedNotification,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from codex_file_search.ranking import Match
    from codex_file_search.tree_walk import Entry
    from codex_hookspecs.surface import RpcContext


class SearchSession:
    """Lists the files of its roots once, then searches them for one query after another.

    :param name: id of the session.
    :param roots: roots as the client wrote them, and as absolute paths.
    :param slots: limits the searches that run at the same time.
    """

    def __init__(
        self, name: str, roots: Sequence[tuple[str, str]], slots: asyncio.Semaphore, context: RpcContext
    ) -> None:
        self._name = name
        self._roots = roots
        self._slots = slots
        self._context = context
        self._query: str | None = ""
        self._news = asyncio.Event()
        self._stop = Event()
        self._stop_ranking = Event()
        self._task = asyncio.create_task(self._run())
        self._news.set()

    async def search(self, query: str) -> None:
        """Search for a query in place of the one before."""
        self._query = query
        self._stop_ranking.set()
        self._news.set()

    async def aclose(self) -> None:
        """End the session."""
        self._stop.set()
        self._stop_ranking.set()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        try:
            await self._answer_queries()
        except Exception:
            self._context.host.logger("file-search").exception("a search session failed")

    async def _answer_queries(self) -> None:
        async with self._slots:
            entries = await asyncio.to_thread(self._walk)
        while True:
            await self._news.wait()
            self._news.clear()
            query, self._query = self._query, None
            if query is None:
                continue
            stop = self._stop_ranking = Event()
            async with self._slots:
                found = await asyncio.to_thread(rank, entries, query, stop)
            if stop.is_set():
                continue
            files = results_of(found, [root for root, _ in self._roots])
            await self._context.notify(
                FuzzyFileSearchSessionUpdatedNotification(session_id=self._name, query=query, files=files)
            )
            await self._context.notify(FuzzyFileSearchSessionCompletedNotification(session_id=self._name))

    def _walk(self) -> list[tuple[int, list[Entry]]]:
        return [(number, walk(path, self._stop)) for number, (_, path) in enumerate(self._roots)]


def results_of(found: Sequence[Match], roots: Sequence[str]) -> tuple[FuzzyFileSearchResult, ...]:
    """Return matches as clients get them.

    :param roots: as the client wrote them.
    """
    return tuple(
        FuzzyFileSearchResult(
            root=roots[match.root],
            path=_to_text(match.path),
            match_type="directory" if match.directory else "file",
            file_name=_to_text(os.path.basename(match.path)),
            score=match.points,
            indices=match.places,
        )
        for match in found
    )


def _to_text(path: str) -> str:
    """Return a path with bytes that are not UTF-8 replaced, each by one character."""
    return path if path.isascii() else "".join("\ufffd" if "\udc80" <= each <= "\udcff" else each for each in path)
