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
from codex_thread_store.files import find_codex_lock, holder_of, is_file_at, lock, refuse_special
from codex_thread_store.rollout_encoder import Line, encode_lines, encode_meta, encode_records

OnAppended = Callable[[Sequence[Record], int], None]
"""Called after records were written, with the time in seconds since the epoch."""

Describe = Callable[[ThreadMeta], Awaitable[ThreadMeta]]

_FLAGS = os.O_RDWR | os.O_APPEND | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


class RolloutWriter:
    """The exclusive writer of a thread.

    Each batch is one ``write`` of complete lines to a file opened for appending: once it returns, the death of the
    process loses nothing. The file is not synced to disk, so a power failure may lose the newest lines. Records that
    could not be written are written with the next batch. A file that was deleted or replaced is recreated with all its
    content.

    :param path: the rollout file.
    :param meta: metadata of a new thread, whose file is created with its first item or message; ``None`` for an
        existing file.
    :param on_appended: called after records were written.
    :param describe: adds to the metadata of a new thread what is needed only in its file.
    :param warn: writes a warning to the log about what happened to the file at closing.
    :ivar ordinal: number of the next line, ``None`` if the file's lines are not numbered.
    """

    def __init__(
        self,
        path: str,
        thread_id: str,
        *,
        meta: ThreadMeta | None,
        on_appended: OnAppended | None = None,
        describe: Describe | None = None,
        warn: Callable[[str], None] | None = None,
    ) -> None:
        self._path = path
        self._thread_id = thread_id
        self._on_appended = on_appended
        self._warn = warn
        self.meta = meta
        self._describe_meta = describe
        self._begun = meta is None
        self._unwritten: list[Record] = []
        self._descriptor: int | None = None
        self._size = 0
        self._torn = False
        self.ordinal: int | None = None
        self._closed = False
        self._write_lock = asyncio.Lock()

    @property
    def path(self) -> str:
        """The rollout file."""
        return self._path

    def take_over(self, home: str) -> None:
        """Open an existing file and lock it.

        :param home: ``$CODEX_HOME``, which has Codex's lock files.
        :raises ThreadBusy: when another process is writing it.
        :raises StorageError: when it can't be opened for writing.
        """
        try:
            self._descriptor = os.open(self._path, _FLAGS | getattr(os, "O_NONBLOCK", 0))
            refuse_special(self._descriptor)
        except OSError as error:
            self._release()
            raise self._error("opening", error) from error
        self._lock()
        if (foreign := find_codex_lock(home, self._thread_id)) is not None:
            raise self._busy_error(foreign)
        self._size = os.fstat(self._descriptor).st_size
        if self._size:
            os.lseek(self._descriptor, self._size - 1, os.SEEK_SET)
            self._torn = os.read(self._descriptor, 1) != b"\n"

    async def begin(self) -> None:
        """Create the file now; see :class:`~codex_hookspecs.ports.storage.ThreadWriter`."""
        async with self._write_lock:
            if not self._begun and not self._closed:
                await self._append(at_once=True)

    async def append(self, records: Sequence[Record]) -> str | None:
        """Append records; see :class:`~codex_hookspecs.ports.storage.ThreadWriter`."""
        async with self._write_lock:
            if self._closed:
                raise StorageError(f"writing thread {self._thread_id}: it is closed", thread_id=self._thread_id)
            self._unwritten.extend(records)
            return await self._append() if records else None

    async def aclose(self) -> None:
        """Write pending records, then close and unlock the file.

        :raises StorageError: when records could not be written.
        """
        async with self._write_lock:
            self._closed = True
            try:
                if self._descriptor is not None and (report := await self._append()) and self._warn is not None:
                    self._warn(report)
            finally:
                self._drop_if_empty()
                self._release()

    def _drop_if_empty(self) -> None:
        """Delete a file to which nothing could be written: it would look like a damaged thread."""
        if self._descriptor is not None and not self._begun and not os.fstat(self._descriptor).st_size:
            with suppress(OSError):
                os.unlink(self._path)

    def _release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    async def _append(self, *, at_once: bool = False) -> str | None:
        """Write the pending records.

        :param at_once: whether to create the file even before the first item or message.
        :return: a message when the file was recreated, else ``None``.
        """
        records = self._unwritten
        lines: list[Line] = []
        if not self._begun:
            if not (at_once or any(map(begins_thread, records))):
                return None
            lines.append(encode_meta(await self._describe(records)))
            self._create()
        restored = self._restore()
        now_ms = time.time_ns() // 1_000_000
        lines += encode_records(records, self._thread_id, now_ms, numbered=self.ordinal is not None)
        if lines:
            self._write(encode_lines(lines, now_ms, self.ordinal))
            if self.ordinal is not None:
                self.ordinal += len(lines)
        self._begun, self._unwritten = True, []
        if self._on_appended is not None and records:
            self._on_appended(records, now_ms // 1000)
        return restored

    async def _describe(self, records: Sequence[Record]) -> ThreadMeta:
        assert self.meta is not None
        self.meta = _with_instructions(self.meta, records)
        if self._describe_meta is not None:
            self.meta = await self._describe_meta(self.meta)
            self._describe_meta = None
        return self.meta

    def _create(self) -> None:
        if self._descriptor is not None:
            return
        try:
            make_private(os.path.dirname(self._path))
            self._descriptor = os.open(self._path, _FLAGS | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise self._error("creating", error) from error
        self._lock()

    def _restore(self) -> str | None:
        """Check that the file is still at its path and complete; recreate it if it was deleted or replaced.

        :return: a message when the file was recreated, else ``None``.
        :raises StorageError: when it was truncated, or can't be recreated.
        """
        assert self._descriptor is not None
        size = os.fstat(self._descriptor).st_size
        if size < self._size:
            raise StorageError(
                f"writing the thread's file {self._path}: another program truncated it from {self._size} to "
                f"{size} bytes, and that part is lost; start a new thread",
                thread_id=self._thread_id,
            )
        if is_file_at(self._descriptor, self._path):
            return None
        from codex_thread_store.file_recovery import restore

        try:
            restored, report = restore(self._descriptor, self._path, _FLAGS)
        except OSError as error:
            raise self._error("restoring", error) from error
        if restored is None:
            raise self._busy_error(self._path)
        os.close(self._descriptor)
        self._descriptor = restored
        return report

    def _lock(self) -> None:
        assert self._descriptor is not None
        if not lock(self._descriptor):
            raise self._busy_error(self._path)

    def _busy_error(self, locked: str) -> ThreadBusy:
        """Close the file and return the error that names the process that is writing the thread.

        :param locked: the file whose lock is taken.
        """
        self._release()
        return ThreadBusy(
            f"thread {self._thread_id} is in use: {holder_of(locked)} is writing {self._path}; "
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
            self._truncate(before)
            raise self._error("writing", error) from error
        self._torn = False
        self._size = whole

    def _truncate(self, size: int) -> None:
        """Truncate the file to its size before a failed write, so that the write can be retried as a whole."""
        assert self._descriptor is not None
        try:
            os.ftruncate(self._descriptor, size)
        except OSError:
            self._torn = True

    def _error(self, doing: str, error: OSError) -> StorageError:
        reason = error.strerror or str(error)
        return StorageError(
            f"{doing} the thread's file {self._path}: {reason}; "
            "free space or fix its permissions, or run without storing (--ephemeral)",
            thread_id=self._thread_id,
        )


def _with_instructions(meta: ThreadMeta, records: Sequence[Record]) -> ThreadMeta:
    """Return the metadata of a thread, with the instructions of its first turn if it was created without any."""
    if meta.base_instructions:
        return meta
    texts = (record.settings.base_instructions for record in records if isinstance(record, TurnBegan))
    return attrs.evolve(meta, base_instructions=next((text for text in texts if text), ""))
