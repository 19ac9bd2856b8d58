"""Cut a byte stream into websocket frames, unmask the plain ones, and frame what goes out (RFC 6455), without any I/O.

Nearly every message is one whole data frame. Those are taken apart here, at a fraction of the cost; everything else is
handed on as it is, one whole frame at a time, for the library to make sense of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

PLAIN: Final = (0x81, 0x82)
TEXT_HEAD: Final = b"\x81"
_BINARY_HEAD: Final = b"\x82"
_MASKED = 0x80


class TooLarge(Exception):
    """Raised for a frame beyond the limit."""


class FrameCutter:
    """Takes bytes as they come.

    :param limit: bytes that one frame may carry.
    """

    __slots__ = ("_buffer", "_limit", "_unmasked")

    def __init__(self, limit: int) -> None:
        self._buffer = bytearray()
        from websockets.utils import apply_mask

        self._limit = limit
        self._unmasked: Callable[[bytes, bytes], bytes] = apply_mask

    def feed(self, data: bytes) -> Iterator[tuple[bytes | None, bytes]]:
        """Take bytes and yield the frames that they complete.

        :return: the payload of a plain frame and its first byte, or ``None`` and another frame as it came.
        :raises TooLarge: when a frame announces too much.
        """
        buffer = self._buffer
        if buffer:
            buffer += data
            source: bytes | bytearray = buffer
        else:
            source = data
        place, end = 0, len(source)
        while end - place >= 2:
            first, second = source[place], source[place + 1]
            start, size = place + 2, second & 0x7F
            if size == 126:
                start, size = place + 4, int.from_bytes(source[place + 2 : place + 4], "big")
            elif size == 127:
                start, size = place + 10, int.from_bytes(source[place + 2 : place + 10], "big")
            if start <= end and size > self._limit:
                raise TooLarge(f"a frame of {size} bytes, allowed are {self._limit}")
            body = start + 4 if second & _MASKED else start
            if body + size > end:
                break
            if first in PLAIN and second & _MASKED:
                head = TEXT_HEAD if first == PLAIN[0] else _BINARY_HEAD
                yield self._unmasked(bytes(source[body : body + size]), bytes(source[start:body])), head
            else:
                yield None, bytes(source[place : body + size])
            place = body + size
        if source is buffer:
            del buffer[:place]
        elif place < end:
            buffer += source[place:]


def text_frame(payload: bytes) -> bytes:
    """Return a text message as a server sends it."""
    size = len(payload)
    if size < 126:
        return bytes((0x81, size)) + payload
    if size < 65536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + payload
    return b"\x81\x7f" + size.to_bytes(8, "big") + payload
