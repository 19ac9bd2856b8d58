"""Parse server-sent events incrementally: bytes in, the data of complete events out."""

from __future__ import annotations

from typing import Final

LIMIT: Final = 64 * 1024 * 1024
"""Maximum size of an event in bytes."""

_BOM: Final = b"\xef\xbb\xbf"


class EventTooLong(Exception):
    """Raised when an event does not end within the limit."""


class SseParser:
    """Incremental parser of the ``text/event-stream`` format of the HTML standard.

    Only the data of events is kept: Responses API events name their type there.

    :param limit: maximum size of an event in bytes.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._begun = False
        self._after_cr = False
        self._partial: list[bytes] = []
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """Parse the next bytes of the stream.

        :param chunk: any number of bytes, split anywhere.
        :return: the data of the events that these bytes complete, lines joined by ``\\n``; events without data are
            skipped.
        :raises EventTooLong: when an event exceeds the limit.
        """
        if not chunk:
            return []
        if self._after_cr and chunk[:1] == b"\n":
            chunk = chunk[1:]
            self._after_cr = False
            if not chunk:
                return []
        self._after_cr = chunk.endswith(b"\r")
        events: list[bytes] = []
        for line in chunk.splitlines(keepends=True):
            if line[-1] not in b"\r\n":
                self._keep(line)
                self._partial.append(line)
                continue
            text = line.rstrip(b"\r\n")
            if self._partial:
                self._size -= sum(map(len, self._partial))
                text = b"".join([*self._partial, text])
                self._partial.clear()
            self._line(text, events)
        return events

    def _line(self, line: bytes, events: list[bytes]) -> None:
        if not self._begun:
            self._begun = True
            line = line.removeprefix(_BOM)
        if not line:
            if self._data:
                events.append(b"\n".join(self._data))
                self._data.clear()
            self._size = 0
            return
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data.append(value.removeprefix(b" "))
            self._keep(line)

    def _keep(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self._limit:
            raise EventTooLong(f"an event is longer than {self._limit} bytes")
