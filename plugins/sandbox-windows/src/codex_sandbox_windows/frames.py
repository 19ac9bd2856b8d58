"""Split a byte stream into frames: a little-endian ``u32`` length, then that many bytes."""

from __future__ import annotations

import struct

MAX_FRAME_BYTES = 8 * 1024 * 1024
"""A longer frame is an error on both sides."""

_LENGTH = struct.Struct("<I")


class FrameError(Exception):
    """Raised when a stream can't be split into frames any further."""


def encode_frame(payload: bytes) -> bytes:
    """Return a frame.

    :raises FrameError: when it would be too large.
    """
    if len(payload) > MAX_FRAME_BYTES:
        raise FrameError(f"frame too large: {len(payload)}")
    return _LENGTH.pack(len(payload)) + payload


class FrameReader:
    """Collects bytes and returns complete frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> None:
        """Append received bytes."""
        self._buffer += data

    def next_frame(self) -> bytes | None:
        """Return the next frame, ``None`` while it is not complete.

        :raises FrameError: when it is too large.
        """
        if len(self._buffer) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack_from(self._buffer)
        if length > MAX_FRAME_BYTES:
            raise FrameError(f"frame too large: {length}")
        end = _LENGTH.size + length
        if len(self._buffer) < end:
            return None
        frame = bytes(self._buffer[_LENGTH.size : end])
        del self._buffer[:end]
        return frame

    def end(self) -> None:
        """Note EOF.

        :raises FrameError: when it comes inside a payload; inside a length it is accepted.
        """
        if len(self._buffer) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer)
            raise FrameError(f"the stream ends within a frame: {len(self._buffer) - _LENGTH.size} of {length} bytes")
