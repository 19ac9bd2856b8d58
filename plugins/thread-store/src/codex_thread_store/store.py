"""Keep threads in rollout files below a home directory."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from typing import TypeVar

import attrs

from codex_hookspecs.errors import StorageError, ThreadNotFound
from codex_hookspecs.ids import is_uuid
from codex_hookspecs.types.storage import StoredThread, ThreadMeta, ThreadPage, ThreadQuery
from codex_hookspecs.types.threads import Thread
from codex_thread_store import layout
from codex_thread_store.writer import RolloutWriter

T = TypeVar("T")


class RolloutStore:
    """Threads as files, with an index that can be lost.

    :param home: ``$CODEX_HOME``.
    :param warn: tells the user's log what did not work but does not matter to threads.
    """

    def __init__(self, home: str, *, warn: Callable[[str], None]) -> None:
        self._home = home
        self._warn = warn

    async def create(self, meta: ThreadMeta) -> RolloutWriter:
        """Begin a new thread; its file is made with its first item or message."""
        path = layout.new_path(self._home, meta.thread_id, meta.created_at_ms)
        return RolloutWriter(path, meta.thread_id, meta=meta)

    async def open(self, thread_id: str, *, cli_version: str) -> tuple[StoredThread, RolloutWriter]:
        """Read a thread and take over writing it."""
        path = self._path(thread_id, archived=False)
        writer = RolloutWriter(path, thread_id, meta=None)
        writer.take_over()
        try:
            return await asyncio.to_thread(self._read, path, thread_id), writer
        except BaseException:
            await writer.aclose()
            raise

    async def read(self, thread_id: str) -> StoredThread:
        """Read a thread, also an archived one, without writing it."""
        return await asyncio.to_thread(lambda: self._read(self._path(thread_id), thread_id))

    async def list(self, query: ThreadQuery) -> ThreadPage:
        """Return one page of threads."""
        from codex_hookspecs.listing import page_of

        return await asyncio.to_thread(lambda: page_of(self._summaries(query.archived), query))

    async def find(self, name_or_id: str, *, cwd: str | None = None) -> str | None:
        """Return the id of the newest thread with this id or name."""
        return await asyncio.to_thread(self._find, name_or_id, cwd)

    async def archive(self, thread_id: str) -> None:
        """Put a thread away: its file moves to ``archived_sessions``."""
        await asyncio.to_thread(self._archive, thread_id)

    async def unarchive(self, thread_id: str) -> Thread:
        """Bring an archived thread back."""
        return await asyncio.to_thread(self._unarchive, thread_id)

    async def set_name(self, thread_id: str, name: str) -> None:
        """Name a thread."""
        from codex_thread_store.names import write_name

        write_name(self._home, thread_id, name)

    async def aclose(self) -> None:
        """Close the store."""

    def _read(self, path: str, thread_id: str) -> StoredThread:
        from codex_thread_store.names import read_names
        from codex_thread_store.reading import read_thread

        return read_thread(path, self._home, name=read_names(self._home).get(thread_id))

    def _path(self, thread_id: str, *, archived: bool | None = None) -> str:
        """Return a thread's file.

        :param archived: where to look; everywhere when ``None``.
        """
        places = (False, True) if archived is None else (archived,)
        if is_uuid(thread_id):
            for place in places:
                path = layout.find(self._home, thread_id, archived=place)
                if path is not None:
                    return path
        kind = "archived rollout" if archived else "rollout"
        raise ThreadNotFound(f"no {kind} found for thread id {thread_id}", thread_id=thread_id)

    def _summaries(self, archived: bool) -> Iterator[Thread]:
        from codex_thread_store.names import read_names
        from codex_thread_store.summary import summarize

        names = read_names(self._home)
        for entry in layout.rollouts(self._home, archived=archived):
            thread = summarize(entry.path)
            if thread is not None:
                yield attrs.evolve(thread, name=names.get(thread.id))

    def _find(self, name_or_id: str, cwd: str | None) -> str | None:
        from codex_thread_store.names import read_names

        if is_uuid(name_or_id):
            return name_or_id.lower() if layout.find(self._home, name_or_id.lower(), archived=False) else None
        if name_or_id not in read_names(self._home).values():
            return None
        named = [
            (thread.updated_at, thread.id)
            for thread in self._summaries(archived=False)
            if thread.name == name_or_id and cwd in (None, thread.cwd)
        ]
        return max(named)[1] if named else None

    def _archive(self, thread_id: str) -> None:
        path = self._path(thread_id, archived=False)
        self._move(path, layout.archived_path(self._home, os.path.basename(path)), thread_id)

    def _unarchive(self, thread_id: str) -> Thread:
        from codex_thread_store.names import read_names
        from codex_thread_store.summary import summarize

        path = self._path(thread_id, archived=True)
        target = layout.restored_path(self._home, os.path.basename(path))
        self._move(path, target, thread_id)
        thread = summarize(target)
        if thread is None:
            raise StorageError(f"reading the restored file {target}: nothing was said in it", thread_id=thread_id)
        return attrs.evolve(thread, name=read_names(self._home).get(thread_id))

    def _move(self, path: str, target: str, thread_id: str) -> None:
        try:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            os.rename(path, target)
        except OSError as error:
            raise StorageError(
                f"moving the thread's file {path} to {target}: {error.strerror}; check the permissions",
                thread_id=thread_id,
            ) from error
