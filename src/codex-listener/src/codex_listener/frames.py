"""A fast path for WebSocket frames (RFC 6455), without I/O: parse and unmask data frames, encode text messages.

Nearly every message is a single data frame. Those are parsed here at a fraction of the cost; all other frames are
passed on unchanged, one complete frame at a time, to the ``websockets`` library.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

PLAIN: Final = (0x81, 0x82)
TEXT_HEAD: Final = b"\x81"
_BINARY_HEAD: Final = b"\x82"
_MASKED = 0x80
_USUAL_ROOM: Final = 32 * 1024
_KEPT_ROOM: Final = 2 * 1024 * 1024
_MAX_HEADER: Final = 14


class TooLarge(Exception):
    """Raised for a frame that exceeds the limit."""


class FrameParser:
    """Parses frames from a buffer that the socket writes into, so that large frames are not copied.

    :param limit: maximum payload of a frame in bytes.
    """

    __slots__ = ("_buffer", "_end", "_limit", "_start", "_unmask")

    def __init__(self, limit: int) -> None:
        self._buffer = bytearray(_USUAL_ROOM)
        self._start = self._end = 0
        self._limit = limit
        self._unmask = _load_unmask()

    def room(self) -> memoryview:
        """Return the free part of the buffer, for the next bytes from the socket."""
        return memoryview(self._buffer)[self._end :]

    def advance(self, count: int) -> None:
        """Note that bytes were written to the free part of the buffer."""
        self._end += count

    def take(self, data: bytes) -> None:
        """Add bytes that were received elsewhere, before any others."""
        if len(data) > len(self._buffer):
            self._buffer = bytearray(len(data))
        self._buffer[: len(data)] = data
        self._end = len(data)

    def next_frame(self) -> tuple[bytes | None, bytes] | None:
        """Return the next complete frame, or ``None``; the buffer has free space again only after ``None``.

        :return: the unmasked payload and first byte of a data frame, or ``None`` and the bytes of any other frame.
        :raises TooLarge: when the header announces a payload beyond the limit.
        """
        buffer, place, end = self._buffer, self._start, self._end
        needed = _MAX_HEADER
        if end - place >= 2:
            first, second = buffer[place], buffer[place + 1]
            start, size = place + 2, second & 0x7F
            if size == 126:
                start, size = place + 4, int.from_bytes(buffer[place + 2 : place + 4], "big")
            elif size == 127:
                start, size = place + 10, int.from_bytes(buffer[place + 2 : place + 10], "big")
            if start <= end:
                if size > self._limit:
                    raise TooLarge(f"a frame of {size} bytes, allowed are {self._limit}")
                body = start + 4 if second & _MASKED else start
                after = body + size
                if after <= end:
                    self._start = after
                    view = memoryview(buffer)
                    if first in PLAIN and second & _MASKED:
                        head = TEXT_HEAD if first == PLAIN[0] else _BINARY_HEAD
                        return self._unmask(view[body:after], view[start:body]), head
                    return None, bytes(view[place:after])
                needed = after - place
        self._keep(place, needed)
        return None

    def _keep(self, place: int, needed: int) -> None:
        """Keep the incomplete frame at a position and make space for the rest of it.

        The buffer grows with the bytes that have arrived, not with the announced size.
        """
        buffer, left = self._buffer, self._end - place
        if left and place + needed <= len(buffer):
            self._start = place
            return
        if not left and len(buffer) > _KEPT_ROOM:
            self._buffer = bytearray(_USUAL_ROOM)
        elif left == len(buffer):
            self._buffer = bytearray(min(needed, 2 * left))
            self._buffer[:left] = buffer
        elif place:
            buffer[:left] = buffer[place : self._end]
        self._start, self._end = 0, left


def frame_head(size: int) -> bytes:
    """Return the frame header of a text message from a server."""
    if size < 126:
        return bytes((0x81, size))
    if size < 65536:
        return b"\x81\x7e" + size.to_bytes(2, "big")
    return b"\x81\x7f" + size.to_bytes(8, "big")


def text_frame(payload: bytes) -> bytes:
    """Encode a text message from a server."""
    return frame_head(len(payload)) + payload


def is_text(payload: bytes) -> bool:
    """Tell whether bytes are valid content of a text message, that is, UTF-8."""
    if payload.isascii():
        return True
    try:
        payload.decode()
    except UnicodeDecodeError:
        return False
    return True


def _load_unmask() -> Callable[[Any, Any], bytes]:
    try:
        from websockets.speedups import apply_mask
    except ImportError:  # The library is installed without its C extension.
        from websockets.utils import apply_mask as slowly

        return lambda data, mask: slowly(bytes(data), bytes(mask))
    return apply_mask
