"""A bounded buffer that keeps the first and last bytes of a stream and drops the middle."""

from __future__ import annotations

from collections import deque

LIMIT = 1024 * 1024


class HeadTail:
    """Keeps the beginning and the end of a stream, half of the limit each.

    :param limit: total number of bytes to keep.
    """

    __slots__ = ("_head", "_head_limit", "_tail", "_tail_limit", "_tail_size", "total")

    def __init__(self, limit: int = LIMIT) -> None:
        self._head_limit = limit // 2
        self._tail_limit = limit - self._head_limit
        self._head = bytearray()
        self._tail: deque[bytes] = deque()
        self._tail_size = 0
        self.total = 0

    def append(self, data: bytes) -> None:
        """Add bytes at the end."""
        self.total += len(data)
        room = self._head_limit - len(self._head)
        if room > 0:
            self._head += data[:room]
            data = data[room:]
        if not data:
            return
        self._tail.append(data)
        self._tail_size += len(data)
        while self._tail and self._tail_size - len(self._tail[0]) >= self._tail_limit:
            self._tail_size -= len(self._tail.popleft())

    def content(self) -> bytes:
        """Return the kept bytes."""
        surplus = max(self._tail_size - self._tail_limit, 0)
        return bytes(self._head) + b"".join(self._tail)[surplus:]

    def drain(self) -> bytes:
        """Return the kept bytes and clear the buffer."""
        content = self.content()
        self._head = bytearray()
        self._tail.clear()
        self._tail_size = self.total = 0
        return content
