"""Threads in the store: read, list, name, archive."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakValueDictionary

import attrs

from codex_hookspecs.errors import CodexError, RpcError, StorageError, ThreadNotFound
from codex_hookspecs.types.storage import ThreadPage, ThreadQuery
from codex_hookspecs.types.threads import Thread

if TYPE_CHECKING:
    from codex_hookspecs.ports.storage import ThreadStore
    from codex_host.plugins.dispatch import Dispatcher
    from codex_host.plugins.hooks import Hooks
    from codex_host.session.thread import HostThread

T = TypeVar("T")


class StoredThreads:
    """The threads of the store, with what is known of those that are loaded.

    :param hooks: hooks that plugins implement.
    :param dispatch: records failures and warnings of plugins.
    """

    def __init__(self, *, hooks: Hooks, dispatch: Dispatcher) -> None:
        self.hooks = hooks
        self._dispatch = dispatch
        self._threads: dict[str, HostThread] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._store: ThreadStore | None = None
        self._store_owner = ""
        self._asked_for_store = False

    async def unload(self, thread_id: str) -> None:
        """Interrupt, close and unload a thread; unknown ids are ignored."""
        async with self._lock(thread_id):
            await self._close(thread_id)

    async def _close(self, thread_id: str) -> None:
        thread = self._threads.pop(thread_id, None)
        if thread is not None:
            await thread.aclose()

    def _lock(self, thread_id: str) -> asyncio.Lock:
        """Return the lock that is held while a thread is loaded, unloaded, copied or moved."""
        lock = self._locks.get(thread_id)
        if lock is None:
            lock = self._locks[thread_id] = asyncio.Lock()
        return lock

    async def read(self, thread_id: str, *, include_turns: bool) -> Thread:
        """Return a thread, loaded or stored."""
        loaded = self._threads.get(thread_id)
        if loaded is not None:
            summary = loaded.summary()
            return attrs.evolve(summary, turns=tuple(await loaded.turns())) if include_turns else summary
        return await self._answer(self._need_store(thread_id).show(thread_id, turns=include_turns))

    async def list(self, query: ThreadQuery) -> ThreadPage:
        """Return one page of stored threads, with the status of those that are loaded."""
        store = self._find_store()
        if store is None:
            return ThreadPage(())
        page = await self._answer(store.list(query))
        threads = tuple(
            attrs.evolve(thread, status=self._threads[thread.id].summary().status)
            if thread.id in self._threads
            else thread
            for thread in page.threads
        )
        return attrs.evolve(page, threads=threads)

    async def find(self, name_or_id: str, *, cwd: str | None = None) -> str | None:
        """Return the id of the newest stored thread with this id or name, or ``None``."""
        store = self._find_store()
        return await self._answer(store.find(name_or_id, cwd=cwd)) if store else None

    async def archive(self, thread_id: str) -> None:
        """Unload and archive a thread."""
        store = self._need_store(thread_id)
        async with self._lock(thread_id):
            if await self._answer(store.find(thread_id)) is None:
                raise ThreadNotFound(f"no rollout found for thread id {thread_id}", thread_id=thread_id)
            await self._close(thread_id)
            await self._answer(store.archive(thread_id))

    async def unarchive(self, thread_id: str) -> Thread:
        """Unarchive a thread."""
        async with self._lock(thread_id):
            return await self._answer(self._need_store(thread_id).unarchive(thread_id))

    async def set_name(self, thread_id: str, name: str) -> None:
        """Set the name of a thread, loaded or stored."""
        store = self._need_store(thread_id)
        loaded = self._threads.get(thread_id)
        if loaded is None:
            await self._answer(store.show(thread_id, turns=False))  # Raises when there is none.
        if loaded is None or not loaded.settings.ephemeral:
            await self._answer(store.set_name(thread_id, name))
        if loaded is not None:
            loaded.rename(name)

    async def update_git(self, thread_id: str, changes: Mapping[str, str | None]) -> Thread:
        """Change the state of the work tree that is shown of a thread, loaded or stored."""
        loaded = self._threads.get(thread_id)
        if loaded is None:
            return await self._answer(self._need_store(thread_id).update_git(thread_id, changes))
        if loaded.settings.ephemeral:
            raise RpcError(f"ephemeral thread does not support metadata updates: {thread_id}")
        await loaded.begin_file()
        changed = await self._answer(self._need_store(thread_id).update_git(thread_id, changes))
        loaded.git_info = changed.git_info
        return loaded.summary()

    def _find_store(self) -> ThreadStore | None:
        if not self._asked_for_store:
            self._store, self._store_owner = self.hooks.thread_store()
            self._asked_for_store = True
            if self._store is None:
                self._dispatch.warn("no plugin stores threads: nothing is kept of this session")
        return self._store

    def _need_store(self, thread_id: str) -> ThreadStore:
        store = self._find_store()
        if store is None:
            raise ThreadNotFound(f"no rollout found for thread id {thread_id}", thread_id=thread_id)
        return store

    async def _answer(self, call: Coroutine[Any, Any, T]) -> T:
        """Await a call of the store.

        :raises StorageError: naming the store's plugin, when it fails with an error that is none of the contracts'.
        """
        try:
            return await call
        except CodexError:
            raise
        except Exception as error:
            message = self._dispatch.failures.report("the thread store", self._store_owner, error)
            raise StorageError(message) from error
