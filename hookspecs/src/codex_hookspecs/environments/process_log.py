"""Number and retain the events of one process, without I/O (rules of the exec-server protocol).

Output, exit and close share one sequence of numbers without gaps. Output is retained up to a limit; the oldest chunks
are dropped first. :attr:`ProcessLog.backlog` says how many bytes a :class:`Cursor` has not read yet; the reader of the
process's pipes pauses until the cursor has caught up.
"""

from __future__ import annotations

from bisect import bisect_right
from operator import attrgetter

from codex_hookspecs.types.environment import (
    OutputChunk,
    ProcessClosed,
    ProcessEvent,
    ProcessExited,
    ProcessFailed,
    ReadResult,
    Stream,
)

CHUNK_BYTES = 8192
RETAINED_BYTES = 1024 * 1024
RETAINED_CHUNKS = 131_072
_COMPACT_AT = 512
_seq = attrgetter("seq")


class ProcessLog:
    """The state of one process: retained output, exit, cursors of readers.

    :param retained: most bytes of output that are retained.
    """

    __slots__ = ("_chunks", "_closed", "_cursors", "_exit", "_failure", "_head", "_limit", "_seq", "_size", "_total")

    def __init__(self, retained: int = RETAINED_BYTES) -> None:
        self._limit = retained
        self._chunks: list[OutputChunk | None] = []
        self._head = 0
        self._size = 0
        self._total = 0
        self._seq = 0
        self._exit: ProcessExited | None = None
        self._closed: ProcessClosed | None = None
        self._failure: ProcessFailed | None = None
        self._cursors: set[Cursor] = set()

    @property
    def exited(self) -> bool:
        """Whether the process has ended or was lost."""
        return self._exit is not None or self._failure is not None

    @property
    def exit_code(self) -> int | None:
        """Exit code, or ``None`` until it is known."""
        return self._exit.exit_code if self._exit else None

    @property
    def closed(self) -> bool:
        """Whether there are no further events."""
        return self._closed is not None or self._failure is not None

    @property
    def failure(self) -> str | None:
        """Why the process was lost, or ``None``."""
        return self._failure.message if self._failure else None

    @property
    def retained(self) -> int:
        """Bytes of output that are retained."""
        return self._size

    @property
    def backlog(self) -> int:
        """Bytes that the slowest cursor has not read yet; 0 without cursors."""
        if not self._cursors:
            return 0
        return self._total - min(cursor.taken for cursor in self._cursors)

    def append(self, stream: Stream, data: bytes) -> None:
        """Record output, in chunks of at most 8192 bytes; ignored after the close."""
        if self.closed:
            return
        for start in range(0, len(data), CHUNK_BYTES):
            self._seq += 1
            chunk = OutputChunk(self._seq, stream, data=data[start : start + CHUNK_BYTES])
            self._chunks.append(chunk)
            self._size += len(chunk.data)
            self._total += len(chunk.data)
        self._trim()

    def exit(self, code: int, *, sandbox_denied: bool = False) -> None:
        """Record the exit; later calls are ignored."""
        if not self.exited:
            self._seq += 1
            self._exit = ProcessExited(self._seq, code, sandbox_denied=sandbox_denied)

    def close(self) -> None:
        """Record the close, the last event."""
        if not self.closed:
            self._seq += 1
            self._closed = ProcessClosed(self._seq)

    def fail(self, message: str) -> None:
        """Record that the process was lost; a known exit code stays."""
        if not self.closed:
            self._failure = ProcessFailed(message)

    def has_news(self, after_seq: int) -> bool:
        """Return whether a read after a sequence number would return anything new."""
        if self.closed or (self._exit is not None and self._exit.seq > after_seq):
            return True
        last = self._chunks[-1] if len(self._chunks) > self._head else None
        return last is not None and last.seq > after_seq

    def read(self, after_seq: int = 0, max_bytes: int | None = None) -> ReadResult:
        """Return the retained chunks newer than a sequence number, and the state of the process.

        :param max_bytes: most bytes to return; at least one chunk is returned. ``next_seq`` of a limited read follows
            its last chunk, otherwise it is the next free number.
        """
        start = self._index(after_seq)
        end, size = start, 0
        for end in range(start, len(self._chunks)):
            chunk = self._chunks[end]
            assert chunk is not None
            size += len(chunk.data)
            if max_bytes is not None and size > max_bytes and end > start:
                break
        else:
            end = len(self._chunks)
        chunks = tuple(chunk for chunk in self._chunks[start:end] if chunk is not None)
        return ReadResult(
            chunks=chunks,
            next_seq=chunks[-1].seq + 1 if chunks and max_bytes is not None else self._seq + 1,
            exited=self.exited,
            exit_code=self.exit_code,
            closed=self.closed,
            failure=self.failure,
            sandbox_denied=self._exit.sandbox_denied if self._exit else False,
        )

    def cursor(self) -> Cursor:
        """Return a new cursor at the oldest retained event; output that it has not read is retained."""
        cursor = Cursor(self, self._total - self._size)
        self._cursors.add(cursor)
        return cursor

    def _next(self, cursor: Cursor) -> ProcessEvent | None:
        index = self._index(cursor.seq)
        event: ProcessEvent | None = self._chunks[index] if index < len(self._chunks) else None
        leave = self._exit
        if leave is not None and leave.seq > cursor.seq and (event is None or leave.seq < event.seq):  # type: ignore[union-attr]
            return leave
        if event is not None:
            return event
        if self._closed is not None:
            return self._closed if self._closed.seq > cursor.seq else None
        return self._failure

    def _index(self, after_seq: int) -> int:
        if len(self._chunks) == self._head:
            return self._head
        first = self._chunks[self._head]
        assert first is not None
        if after_seq < first.seq:
            return self._head
        return bisect_right(self._chunks, after_seq, lo=self._head, key=_seq)

    def _trim(self) -> None:
        needed = min((cursor.seq for cursor in self._cursors), default=self._seq)
        chunks = self._chunks
        while self._size > self._limit or len(chunks) - self._head > RETAINED_CHUNKS:
            oldest = chunks[self._head]
            assert oldest is not None
            if oldest.seq > needed:
                break
            chunks[self._head] = None
            self._head += 1
            self._size -= len(oldest.data)
        if self._head >= _COMPACT_AT and self._head * 2 >= len(chunks):
            del chunks[: self._head]
            self._head = 0

    def _forget(self, cursor: Cursor) -> None:
        self._cursors.discard(cursor)
        self._trim()


class Cursor:
    """The position of a reader in a log.

    :ivar seq: sequence number of the last event read.
    :ivar taken: bytes of all output up to it.
    """

    __slots__ = ("_log", "done", "seq", "taken")

    def __init__(self, log: ProcessLog, taken: int) -> None:
        self._log = log
        self.seq = 0
        self.taken = taken
        self.done = False

    def take(self) -> ProcessEvent | None:
        """Return the next event, or ``None`` if there is none (yet)."""
        if self.done:
            return None
        event = self._log._next(self)
        if event is None:
            return None
        if isinstance(event, OutputChunk):
            self.seq = event.seq
            self.taken += len(event.data)
            self._log._trim()
        elif isinstance(event, ProcessExited):
            self.seq = event.seq
        else:
            self.close()
        return event

    def close(self) -> None:
        """Stop retaining output for this cursor."""
        self.done = True
        self._log._forget(self)
