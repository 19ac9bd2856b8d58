"""Start, resume, fork and unload threads."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from codex_hookspecs.errors import RpcError, ThreadNotFound
from codex_hookspecs.ids import uuid7
from codex_hookspecs.types.requests import ThreadStartParams
from codex_hookspecs.types.storage import ThreadMeta
from codex_host import __version__
from codex_host.session.settings import Opener
from codex_host.session.stored_threads import StoredThreads
from codex_host.session.thread import HostThread
from codex_host.shutdown import close_all

if TYPE_CHECKING:
    from codex_hookspecs.ports.host import Host
    from codex_hookspecs.ports.storage import ThreadStore, ThreadWriter
    from codex_hookspecs.types.app_server.models import Model
    from codex_hookspecs.types.app_server.threads import ThreadForkParams
    from codex_hookspecs.types.json import JsonObject
    from codex_hookspecs.types.requests import ThreadResumeParams
    from codex_hookspecs.types.storage import StoredThread
    from codex_hookspecs.types.threads import Turn
    from codex_host.config.effective import LiveConfig
    from codex_host.plugins.dispatch import Dispatcher
    from codex_host.plugins.hooks import Hooks
    from codex_host.session.settings import Opening


class HostThreads(StoredThreads):
    """All threads of the program.

    :param host: the running program as plugins see it.
    :param config: its configuration.
    :param hooks: hooks that plugins implement.
    :param dispatch: records failures and warnings of plugins.
    """

    def __init__(self, host: Host, *, config: LiveConfig, hooks: Hooks, dispatch: Dispatcher) -> None:
        super().__init__(hooks=hooks, dispatch=dispatch)
        self._host = host
        self._opener = Opener(host, config=config, hooks=hooks, dispatch=dispatch)

    async def start(
        self,
        params: ThreadStartParams | None = None,
        *,
        source: str | JsonObject = "cli",
        originator: str = "codex_cli",
        client_version: str = "",
    ) -> HostThread:
        """Start a thread; see :class:`~codex_hookspecs.ports.threads.ThreadManager`."""
        opening = self._opener.new(
            params or ThreadStartParams(), source=source, originator=originator, client_version=client_version
        )
        meta = _new_meta(opening)
        store = self._find_store()
        writer: ThreadWriter | None = None
        if store is not None and not opening.settings.ephemeral:
            writer = await self._answer(store.create(meta))
        return self._load(meta.thread_id, opening, writer=writer)

    async def resume(
        self,
        params: ThreadResumeParams,
        *,
        originator: str = "codex_cli",
        client_version: str = "",
        own_flags: bool = False,
    ) -> HostThread:
        """Load a stored thread; see :class:`~codex_hookspecs.ports.threads.ThreadManager`."""
        thread_id = await self._identify(params)
        async with self._lock(thread_id):
            loaded = self._threads.get(thread_id)
            if loaded is not None:
                return loaded
            stored, writer = await self._answer(self._need_store(thread_id).open(thread_id, cli_version=__version__))
            try:
                opening = self._opener.stored(
                    stored,
                    params,
                    own_flags=own_flags,
                    source=stored.thread.source,
                    originator=originator,
                    client_version=client_version,
                )
                return self._load(thread_id, opening, writer=writer, stored=stored)
            except BaseException:
                await writer.aclose()
                raise

    async def fork(
        self,
        params: ThreadForkParams,
        *,
        source: str | JsonObject = "cli",
        originator: str = "codex_cli",
        client_version: str = "",
        own_flags: bool = False,
    ) -> HostThread:
        """Copy a stored thread and load the copy; see :class:`~codex_hookspecs.ports.threads.ThreadManager`."""
        thread_id = await self._identify(params)
        store = self._need_store(thread_id)
        async with self._lock(thread_id):
            if await self._answer(store.find(thread_id)) is None:
                raise ThreadNotFound(f"no rollout found for thread id {thread_id}", thread_id=thread_id)
            stored = await self._answer(store.read(thread_id))
            dropped = _dropped_by(params, stored.thread.turns)
            opening = self._opener.stored(
                stored,
                params,
                own_flags=own_flags,
                source=source,
                originator=originator,
                client_version=client_version,
                ephemeral=params.ephemeral,
            )
            meta = attrs.evolve(_new_meta(opening), forked_from=thread_id)
            if params.ephemeral:
                if dropped:
                    raise RpcError("an ephemeral fork has all turns; fork without `ephemeral`, or without a turn id")
                return self._load(meta.thread_id, opening, writer=None, stored=stored)
            stored, writer = await self._answer(store.fork(thread_id, meta))
            try:
                stored = await self._answer(_adjust_copy(store, writer, stored, opening, dropped))
                return self._load(meta.thread_id, opening, writer=writer, stored=stored)
            except BaseException:
                await writer.aclose()
                raise

    async def models(self) -> Sequence[Model]:
        """Return the models for new threads; see :class:`~codex_hookspecs.ports.threads.ThreadManager`."""
        from codex_host.session.models import with_default

        settings, provider = self._opener.default()
        try:
            default = settings.model
            # A provider that is no subclass of the contract may have none.
            catalogue: Sequence[Model] = getattr(provider, "models", tuple)()
            return with_default(catalogue, default, provider.info(default), settings.reasoning_effort)
        finally:
            await provider.aclose()

    def get(self, thread_id: str) -> HostThread | None:
        """Return a loaded thread."""
        return self._threads.get(thread_id)

    def loaded(self) -> Sequence[HostThread]:
        """Return the loaded threads, oldest first."""
        return tuple(self._threads.values())

    async def aclose(self) -> None:
        """Unload all threads and close the store."""
        await asyncio.gather(*(self.unload(thread_id) for thread_id in tuple(self._threads)))
        if self._store is not None:
            await close_all(self._host, "threads", [self._store.aclose])

    async def _identify(self, params: ThreadResumeParams | ThreadForkParams) -> str:
        """Return the id of the thread that parameters name; a path takes precedence."""
        if params.path is None:
            return params.thread_id
        return await self._answer(self._need_store(params.thread_id).identify(params.path))

    def _load(
        self,
        thread_id: str,
        opening: Opening,
        *,
        writer: ThreadWriter | None,
        stored: StoredThread | None = None,
    ) -> HostThread:
        thread = HostThread(
            thread_id=thread_id,
            settings=opening.settings,
            config=opening.config,
            host=self._host,
            hooks=self.hooks,
            failures=self._dispatch.failures,
            model=opening.model,
            model_owner=opening.model_owner,
            store=self._store,
            writer=writer,
            stored=stored,
            rules=opening.rules,
        )
        self._threads[thread_id] = thread
        return thread


def _new_meta(opening: Opening) -> ThreadMeta:
    return ThreadMeta(
        thread_id=uuid7(),
        settings=opening.settings,
        created_at_ms=time.time_ns() // 1_000_000,
        cli_version=__version__,
        base_instructions=opening.settings.base_instructions or "",
    )


def _dropped_by(params: ThreadForkParams, turns: Sequence[Turn]) -> int:
    """Return how many of the last turns a fork does not have.

    :raises RpcError: when there is no turn of the id that the parameters name.
    """
    wanted = params.before_turn_id or params.last_turn_id
    if wanted is None:
        return 0
    ids = [turn.id for turn in turns]
    if wanted not in ids:
        raise RpcError(f"turn not found: {wanted}")
    kept = ids.index(wanted) + (params.before_turn_id is None)
    return len(ids) - kept


async def _adjust_copy(
    store: ThreadStore, writer: ThreadWriter, stored: StoredThread, opening: Opening, dropped: int
) -> StoredThread:
    """Record the settings of a fork, the end of a turn that was running, and turns that the fork does not have."""
    from codex_hookspecs.types.storage import SettingsChanged, TurnEnded, TurnsDropped

    turns = stored.thread.turns
    if turns and turns[-1].completed_at is None and turns[-1].status == "interrupted":
        await writer.append([TurnEnded(turn_id=turns[-1].id, status="interrupted")])
    await writer.append([SettingsChanged(opening.settings)])
    if not dropped:
        return stored
    await writer.append([TurnsDropped(dropped)])
    return await store.read(stored.thread.id)
