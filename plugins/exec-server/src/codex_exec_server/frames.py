"""Cut a byte stream into websocket frames, unmask the plain ones, and frame what goes out (RFC 6455), without any I/O.

Nearly every message is one whole data frame. Those are taken apart here, at a fraction of the cost; everything else is
handed on as it is, one whole frame at a time, for the library to make sense of.
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
_LONGEST_HEAD: Final = 14


class TooLarge(Exception):
    """Raised for a frame beyond the limit."""


class FrameCutter:
    """Has room for the bytes that come, so that large frames are received where they stay.

    :param limit: bytes that one frame may carry.
    """

    __slots__ = ("_buffer", "_end", "_limit", "_start", "_unmasked")

    def __init__(self, limit: int) -> None:
        self._buffer = bytearray(_USUAL_ROOM)
        self._start = self._end = 0
        self._limit = limit
        self._unmasked = _unmasking()

    def room(self) -> memoryview:
        """Return where the next bytes are to be put."""
        return memoryview(self._buffer)[self._end :]

    def put(self, count: int) -> None:
        """Note that so many bytes were put into the room."""
        self._end += count

    def cut(self) -> tuple[bytes | None, bytes] | None:
        """Return the next frame, ``None`` when none is complete; there is room again only then.

        :return: the payload of a plain frame and its first byte, or ``None`` and another frame as it came.
        :raises TooLarge: when a frame announces too much.
        """
        buffer, place, end = self._buffer, self._start, self._end
        needed = _LONGEST_HEAD
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
                        return self._unmasked(view[body:after], view[start:body]), head
                    return None, bytes(view[place:after])
                needed = after - place
        self._keep(place, needed)
        return None

    def _keep(self, place: int, needed: int) -> None:
        """Keep what stands behind a place, and have room for more of what it is the beginning of.

        The buffer grows with what has come, not with what was announced.
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
    """Return what stands in front of a text message as a server sends it."""
    if size < 126:
        return bytes((0x81, size))
    if size < 65536:
        return b"\x81\x7e" + size.to_bytes(2, "big")
    return b"\x81\x7f" + size.to_bytes(8, "big")


def text_frame(payload: bytes) -> bytes:
    """Return a text message as a server sends it."""
    return frame_head(len(payload)) + payload


def is_text(payload: bytes) -> bool:
    """Tell whether bytes may be the content of a text message."""
    if payload.isascii():
        return True
    try:
        payload.decode()
    except UnicodeDecodeError:
        return False
    return True


def _unmasking() -> Callable[[Any, Any], bytes]:
    try:
        from websockets.speedups import apply_mask
    except ImportError:  # The library was installed without its compiled part.
        from websockets.utils import apply_mask as slowly

        return lambda data, mask: slowly(bytes(data), bytes(mask))
    return apply_mask
