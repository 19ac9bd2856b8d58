"""Handle the requests of clients for searches; a search runs in a worker thread and ends with its connection."""

from __future__ import annotations

import asyncio
import os
from threading import Event
from typing import TYPE_CHECKING, Final

from codex_file_search.ranking import rank
from codex_file_search.session import SearchSession, results_of
from codex_file_search.tree_walk import walk
from codex_hookspecs.errors import RpcError
from codex_hookspecs.jsonrpc import INTERNAL_ERROR
from codex_hookspecs.protocol import (
    FuzzyFileSearchResponse,
    FuzzyFileSearchSessionStartResponse,
    FuzzyFileSearchSessionStopResponse,
    FuzzyFileSearchSessionUpdateResponse,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from codex_file_search.ranking import Match
    from codex_hookspecs.protocol import (
        FuzzyFileSearchParams,
        FuzzyFileSearchSessionStartParams,
        FuzzyFileSearchSessionStopParams,
        FuzzyFileSearchSessionUpdateParams,
    )
    from codex_hookspecs.surface import RpcContext

MAX_SESSIONS: Final = 16
"""Maximum number of sessions of one client."""
MAX_ROOTS: Final = 32
_CONCURRENT: Final = 2
"""Searches that run at the same time; further ones wait."""


class _Client:
    """What belongs to one connection."""

    def __init__(self) -> None:
        self.sessions: dict[str, SearchSession] = {}
        self.tokens: dict[str, Event] = {}


class Searches:
    """The searches of all clients."""

    def __init__(self) -> None:
        self._clients: dict[int, _Client] = {}
        self._slots = asyncio.Semaphore(_CONCURRENT)

    async def search(self, params: FuzzyFileSearchParams, context: RpcContext) -> FuzzyFileSearchResponse:
        """Search once; a later search with the same cancellation token ends this one, whose result is empty then."""
        roots = _roots(params.roots, context)
        tokens, token = self._of(context).tokens, params.cancellation_token
        stop = Event()
        if token is not None:
            if token in tokens:
                tokens[token].set()
            tokens[token] = stop
        try:
            async with self._slots:
                found = await asyncio.to_thread(_search, roots, params.query, stop)
        finally:
            stop.set()
            if token is not None and tokens.get(token) is stop:
                del tokens[token]
        return FuzzyFileSearchResponse(results_of(found, params.roots))

    async def start(
        self, params: FuzzyFileSearchSessionStartParams, context: RpcContext
    ) -> FuzzyFileSearchSessionStartResponse:
        """Start a session, in place of one of the same id: list the files once, for all its queries."""
        if not params.session_id:
            raise RpcError("sessionId must not be empty")
        roots = _roots(params.roots, context)
        if not roots:
            text = "failed to start fuzzy file search session: at least one search directory is required"
            raise RpcError(text, code=INTERNAL_ERROR)
        sessions = self._of(context).sessions
        if params.session_id not in sessions and len(sessions) >= MAX_SESSIONS:
            raise RpcError(f"too many search sessions: {MAX_SESSIONS} are allowed per connection")
        before = sessions.get(params.session_id)
        sessions[params.session_id] = SearchSession(
            params.session_id, list(zip(params.roots, roots, strict=True)), self._slots, context
        )
        if before is not None:
            await before.aclose()
        return FuzzyFileSearchSessionStartResponse()

    async def update(
        self, params: FuzzyFileSearchSessionUpdateParams, context: RpcContext
    ) -> FuzzyFileSearchSessionUpdateResponse:
        """Change the query of a session; its results come as notifications."""
        session = self._of(context).sessions.get(params.session_id)
        if session is None:
            raise RpcError(f"fuzzy file search session not found: {params.session_id}")
        context.after_response(lambda: session.search(params.query))
        return FuzzyFileSearchSessionUpdateResponse()

    async def stop(
        self, params: FuzzyFileSearchSessionStopParams, context: RpcContext
    ) -> FuzzyFileSearchSessionStopResponse:
        """End a session; an unknown one is no error."""
        session = self._of(context).sessions.pop(params.session_id, None)
        if session is not None:
            await session.aclose()
        return FuzzyFileSearchSessionStopResponse()

    def _of(self, context: RpcContext) -> _Client:
        number = context.connection_id
        if number not in self._clients:
            client = self._clients[number] = _Client()

            async def end_all() -> None:
                self._clients.pop(number, None)
                for stop in client.tokens.values():
                    stop.set()
                await asyncio.gather(*(session.aclose() for session in client.sessions.values()))

            context.on_disconnect(end_all)
        return self._clients[number]


def _roots(roots: Sequence[str], context: RpcContext) -> list[str]:
    """Return the directories to search as absolute paths.

    :raises RpcError: when there are too many, or they are those of a remote environment.
    """
    if context.host.environments.is_remote():
        raise RpcError("files of a remote environment can't be searched")
    if len(roots) > MAX_ROOTS:
        raise RpcError(f"too many roots: {len(roots)}, allowed are {MAX_ROOTS}")
    return [os.path.join(context.host.cwd, root) for root in roots]


def _search(roots: Sequence[str], query: str, stop: Event) -> list[Match]:
    if not query.strip():
        return []
    return rank([(number, walk(root, stop)) for number, root in enumerate(roots)], query, stop)
