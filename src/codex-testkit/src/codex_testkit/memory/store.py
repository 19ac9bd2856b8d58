"""An in-memory thread store."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import attrs

from codex_hookspecs.errors import StorageError, ThreadBusy, ThreadNotFound
from codex_hookspecs.storage.fragments import begins_thread
from codex_hookspecs.storage.listing import page_of
from codex_hookspecs.storage.replay import Replay
from codex_hookspecs.types.storage import (
    Record,
    StoredThread,
    ThreadMeta,
    ThreadPage,
    ThreadQuery,
)
from codex_hookspecs.types.threads import GitInfo, Thread


class MemoryThreadStore:
    """Stores threads in memory; ``threads`` has the records of each."""

    def __init__(self) -> None:
        self.threads: dict[str, list[Record]] = {}
        self._metas: dict[str, ThreadMeta] = {}
        self._names: dict[str, str] = {}
        self._updated: dict[str, int] = {}
        self._archived: set[str] = set()
        self._writing: set[str] = set()

    async def create(self, meta: ThreadMeta) -> MemoryThreadWriter:
        """Create a thread."""
        if meta.thread_id in self.threads:
            raise StorageError(f"thread {meta.thread_id} exists already", thread_id=meta.thread_id)
        self._metas[meta.thread_id] = meta
        self.threads[meta.thread_id] = []
        self._updated[meta.thread_id] = meta.created_at_ms // 1000
        return self._writer(meta.thread_id)

    async def open(self, thread_id: str, *, cli_version: str) -> tuple[StoredThread, MemoryThreadWriter]:
        """Read a thread and become its writer."""
        if thread_id in self._archived:
            raise ThreadNotFound(f"no rollout found for thread id {thread_id}: it is archived", thread_id=thread_id)
        stored = await self.read(thread_id)
        if thread_id in self._writing:
            raise ThreadBusy(f"thread {thread_id} is being written already", thread_id=thread_id)
        return stored, self._writer(thread_id)

    async def fork(self, thread_id: str, meta: ThreadMeta) -> tuple[StoredThread, MemoryThreadWriter]:
        """Copy a thread and become the writer of the copy."""
        self._check(thread_id)
        if thread_id in self._archived:
            raise ThreadNotFound(f"no rollout found for thread id {thread_id}: it is archived", thread_id=thread_id)
        writer = await self.create(meta)
        await writer.append(self.threads[thread_id])
        return await self.read(meta.thread_id), writer

    async def identify(self, path: str) -> str:
        """Raise an error: there are no files."""
        raise ThreadNotFound(f"failed to load rollout `{path}`: threads are kept in memory")

    async def read(self, thread_id: str) -> StoredThread:
        """Read a thread."""
        self._check(thread_id)
        replay = Replay(self._metas[thread_id])
        for record in self.threads[thread_id]:
            replay.take(record, at_ms=self._updated[thread_id] * 1000)
        return replay.result(name=self._names.get(thread_id), updated_at=self._updated[thread_id])

    async def show(self, thread_id: str, *, turns: bool) -> Thread:
        """Return a thread in the form for clients."""
        return (await self.read(thread_id)).thread if turns else await self._summary(thread_id)

    async def list(self, query: ThreadQuery) -> ThreadPage:
        """Return one page of threads."""
        ids = [i for i in self.threads if self._visible(i) and (i in self._archived) == query.archived]
        return page_of([await self._summary(thread_id) for thread_id in ids], query)

    async def find(self, name_or_id: str, *, cwd: str | None = None) -> str | None:
        """Return the id of the newest thread with this id or name."""
        if name_or_id in self.threads and self._visible(name_or_id):
            return None if name_or_id in self._archived else name_or_id
        page = await self.list(
            ThreadQuery(cwds=None if cwd is None else (cwd,), limit=len(self.threads) + 1, sort_key="updated_at")
        )
        return next((thread.id for thread in page.threads if thread.name == name_or_id), None)

    async def archive(self, thread_id: str) -> None:
        """Archive a thread."""
        self._check(thread_id)
        if thread_id in self._archived:
            raise ThreadNotFound(f"no rollout found for thread id {thread_id}: it is archived", thread_id=thread_id)
        if thread_id in self._writing:
            raise ThreadBusy(f"thread {thread_id} is being written", thread_id=thread_id)
        self._archived.add(thread_id)

    async def unarchive(self, thread_id: str) -> Thread:
        """Unarchive a thread."""
        if thread_id not in self._archived:
            raise ThreadNotFound(f"no archived rollout found for thread id {thread_id}", thread_id=thread_id)
        self._archived.discard(thread_id)
        return await self._summary(thread_id)

    async def set_name(self, thread_id: str, name: str) -> None:
        """Set the name of a thread."""
        self._names[thread_id] = name

    async def update_git(self, thread_id: str, changes: Mapping[str, str | None]) -> Thread:
        """Change the state of the work tree of a thread."""
        self._check(thread_id)
        meta = self._metas[thread_id]
        git = attrs.evolve(meta.git or GitInfo(), **changes)
        self._metas[thread_id] = attrs.evolve(meta, git=None if git == GitInfo() else git)
        return await self._summary(thread_id)

    async def aclose(self) -> None:
        """Close the store."""
        self._writing.clear()

    async def _summary(self, thread_id: str) -> Thread:
        return attrs.evolve((await self.read(thread_id)).thread, turns=())

    def _writer(self, thread_id: str) -> MemoryThreadWriter:
        self._writing.add(thread_id)
        return MemoryThreadWriter(self, thread_id)

    def _visible(self, thread_id: str) -> bool:
        return any(map(begins_thread, self.threads[thread_id]))

    def _check(self, thread_id: str) -> None:
        if thread_id not in self.threads or not self._visible(thread_id):
            raise ThreadNotFound(f"no rollout found for thread id {thread_id}", thread_id=thread_id)

    def _append(self, thread_id: str, records: Sequence[Record]) -> None:
        self.threads[thread_id].extend(records)
        self._updated[thread_id] = int(time.time())

    def _release(self, thread_id: str) -> None:
        self._writing.discard(thread_id)


class MemoryThreadWriter:
    """The single writer of a thread in memory."""

    def __init__(self, store: MemoryThreadStore, thread_id: str) -> None:
        self._store = store
        self._thread_id = thread_id
        self._open = True

    @property
    def path(self) -> str | None:
        """``None``: there is no file."""
        return None

    async def begin(self) -> None:
        """Do nothing: there is no file."""

    async def append(self, records: Sequence[Record]) -> None:
        """Store records."""
        if not self._open:
            raise StorageError(f"thread {self._thread_id} is closed", thread_id=self._thread_id)
        self._store._append(self._thread_id, records)

    async def aclose(self) -> None:
        """Release the thread."""
        if self._open:
            self._open = False
            self._store._release(self._thread_id)
