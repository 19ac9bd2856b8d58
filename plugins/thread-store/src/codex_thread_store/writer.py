"""Append records to the rollout file of one thread."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import attrs

from codex_hookspecs.errors import StorageError, ThreadBusy
from codex_hookspecs.files import make_private
from codex_hookspecs.storage import Record, ThreadMeta, TurnBegan, begins_thread
from codex_thread_store.files import is_file_at, refuse_special
from codex_thread_store.lines import Line, meta_line, record_lines, serialized
from codex_thread_store.lock import held_by_codex, holder, lock

Kept = Callable[[Sequence[Record], int], None]
"""Is told of records after they were kept, and the time in seconds since the epoch."""

Described = Callable[[ThreadMeta], Awaitable[ThreadMeta]]

_FLAGS = os.O_RDWR | os.O_APPEND | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


class RolloutWriter:
    """The one writer of a thread.

    Each batch is one ``write`` of whole lines to a file opened for appending: once it returns, the death of the process
    loses nothing. It is not synced to the disk, so a power failure may lose the newest lines. What could not be written
    is written with the next batch. A file that is not where it was any more is made anew, with all that it held.

    :param path: the rollout file.
    :param meta: of a new thread, whose file is made with its first item or message; ``None`` for a file that exists.
    :param kept: told of what was kept.
    :param warn: tells the log what became of the file in the end.
    :param described: adds to the meta data of a new thread what is only needed in its file.
    """

    def __init__(
        self,
        path: str,
        thread_id: str,
        *,
        meta: ThreadMeta | None,
        kept: Kept | None = None,
        described: Described | None = None,
        warn: Callable[[str], None] | None = None,
    ) -> None:
        self._path = path
        self._thread_id = thread_id
        self._kept = kept
        self._warn = warn
        self.meta = meta
        self._described = described
        self._begun = meta is None
        self._unwritten: list[Record] = []
        self._descriptor: int | None = None
        self._size = 0
        self._torn = False
        self._closed = False
        self._one_at_a_time = asyncio.Lock()

    @property
    def path(self) -> str:
        """The rollout file."""
        return self._path

    def take_over(self, home: str) -> None:
        """Open the existing file and take its lock.

        :param home: ``$CODEX_HOME``, where Codex has its own locks.
        :raises ThreadBusy: when somebody else has it.
        :raises StorageError: when it can't be opened for writing.
        """
        try:
            self._descriptor = os.open(self._path, _FLAGS | getattr(os, "O_NONBLOCK", 0))
            refuse_special(self._descriptor)
        except OSError as error:
            self._let_go()
            raise self._failed("opening", error) from error
        self._lock()
        if (foreign := held_by_codex(home, self._thread_id)) is not None:
            raise self._busy(foreign)
        self._size = os.fstat(self._descriptor).st_size
        if self._size:
            os.lseek(self._descriptor, self._size - 1, os.SEEK_SET)
            self._torn = os.read(self._descriptor, 1) != b"\n"

    async def begin(self) -> None:
        """Write what was held back; see :class:`~codex_hookspecs.ports.storage.ThreadWriter`."""
        async with self._one_at_a_time:
            if not self._begun and not self._closed:
                await self._append(at_once=True)

    async def append(self, records: Sequence[Record]) -> str | None:
        """Keep records; see :class:`~codex_hookspecs.ports.storage.ThreadWriter`."""
        async with self._one_at_a_time:
            if self._closed:
                raise StorageError(f"writing thread {self._thread_id}: it is closed", thread_id=self._thread_id)
            self._unwritten.extend(records)
            return await self._append() if records else None

    async def aclose(self) -> None:
        """Let go of the thread.

        :raises StorageError: when something of it is not kept and can't be now either.
        """
        async with self._one_at_a_time:
            self._closed = True
            try:
                if self._descriptor is not None and (told := await self._append()) and self._warn is not None:
                    self._warn(told)
            finally:
                self._drop_if_empty()
                self._let_go()

    def _drop_if_empty(self) -> None:
        """Leave no file behind that nothing could be written to: it would be taken for a damaged thread."""
        if self._descriptor is not None and not self._begun and not os.fstat(self._descriptor).st_size:
            with suppress(OSError):
                os.unlink(self._path)

    def _let_go(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    async def _append(self, *, at_once: bool = False) -> str | None:
        """Write what is not written yet.

        :param at_once: also before the first item or message.
        :return: what has happened to the file, or ``None``.
        """
        records = self._unwritten
        lines: list[Line] = []
        if not self._begun:
            if not (at_once or any(map(begins_thread, records))):
                return None
            lines.append(meta_line(await self._describe(records)))
            self._create()
        restored = self._restore()
        now_ms = time.time_ns() // 1_000_000
        lines += record_lines(records, self._thread_id, now_ms)
        if lines:
            self._write(serialized(lines, now_ms))
        self._begun, self._unwritten = True, []
        if self._kept is not None and records:
            self._kept(records, now_ms // 1000)
        return restored

    async def _describe(self, records: Sequence[Record]) -> ThreadMeta:
        assert self.meta is not None
        self.meta = _instructed(self.meta, records)
        if self._described is not None:
            self.meta = await self._described(self.meta)
            self._described = None
        return self.meta

    def _create(self) -> None:
        if self._descriptor is not None:
            return
        try:
            make_private(os.path.dirname(self._path))
            self._descriptor = os.open(self._path, _FLAGS | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise self._failed("creating", error) from error
        self._lock()

    def _restore(self) -> str | None:
        """Make sure that the file is where it was and holds what it held.

        :return: what was done about it, or ``None``.
        :raises StorageError: when it can't be made good.
        """
        assert self._descriptor is not None
        size = os.fstat(self._descriptor).st_size
        if size < self._size:
            raise StorageError(
                f"writing the thread's file {self._path}: it was cut from {self._size} to {size} bytes by another "
                "program, and what it held is lost; start a new thread",
                thread_id=self._thread_id,
            )
        if is_file_at(self._descriptor, self._path):
            return None
        from codex_thread_store.restoring import restore

        try:
            restored, told = restore(self._descriptor, self._path, _FLAGS)
        except OSError as error:
            raise self._failed("restoring", error) from error
        if restored is None:
            raise self._busy(self._path)
        os.close(self._descriptor)
        self._descriptor = restored
        return told

    def _lock(self) -> None:
        assert self._descriptor is not None
        if not lock(self._descriptor):
            raise self._busy(self._path)

    def _busy(self, locked: str) -> ThreadBusy:
        """Let go of the file and return the error that says who has it.

        :param locked: the file whose lock was not free.
        """
        self._let_go()
        pid = holder(locked)
        who = "another process" if pid is None else "this process" if pid == os.getpid() else f"process {pid}"
        return ThreadBusy(
            f"thread {self._thread_id} is in use: {who} is writing {self._path}; "
            "end that session first, or start a new thread",
            thread_id=self._thread_id,
        )

    def _write(self, data: bytes) -> None:
        assert self._descriptor is not None
        rest = memoryview(b"\n" + data if self._torn else data)
        before = os.fstat(self._descriptor).st_size
        whole = before + len(rest)
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError as error:
            self._take_back(before)
            raise self._failed("writing", error) from error
        self._torn = False
        self._size = whole

    def _take_back(self, size: int) -> None:
        """Cut off what a failed write left, so that it can be tried again as a whole."""
        assert self._descriptor is not None
        try:
            os.ftruncate(self._descriptor, size)
        except OSError:
            self._torn = True

    def _failed(self, doing: str, error: OSError) -> StorageError:
        reason = error.strerror or str(error)
        return StorageError(
            f"{doing} the thread's file {self._path}: {reason}; "
            "free space or fix its permissions, or run without storing (--ephemeral)",
            thread_id=self._thread_id,
        )


def _instructed(meta: ThreadMeta, records: Sequence[Record]) -> ThreadMeta:
    """Return what a thread began with, with the instructions of its first turn when it was made without."""
    if meta.base_instructions:
        return meta
    texts = (record.settings.base_instructions for record in records if isinstance(record, TurnBegan))
    return attrs.evolve(meta, base_instructions=next((text for text in texts if text), ""))
