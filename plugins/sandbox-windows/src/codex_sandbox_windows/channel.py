"""Send and receive messages over a byte transport."""

from __future__ import annotations

import threading
import time
from typing import Protocol

from codex_sandbox_windows.frames import FrameReader, encode_frame
from codex_sandbox_windows.messages import Message, decode_message, encode_message

_READ_BYTES = 65536


class Transport(Protocol):
    """A blocking, bidirectional byte stream."""

    def read(self, size: int) -> bytes:
        """Return available bytes, at least one; empty at EOF.

        :raises OSError: when the connection broke.
        """
        ...

    def write(self, data: bytes) -> None:
        """Write all of it.

        :raises OSError: when the other side is gone.
        """
        ...

    def wait_readable(self, seconds: float) -> bool:
        """Wait until data or EOF can be read; ``False`` on timeout."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...


class Channel:
    """Messages over a transport; any thread may send, one thread receives."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._reader = FrameReader()
        self._sending = threading.Lock()

    def send(self, message: Message) -> None:
        """Send a message.

        :raises FrameError: when it is too large.
        :raises OSError: when the other side is gone.
        """
        frame = encode_frame(encode_message(message))
        with self._sending:
            self._transport.write(frame)

    def receive(self, seconds: float | None = None) -> Message | None:
        """Return the next message of a known type, ``None`` at EOF.

        :param seconds: timeout; ``None`` waits forever.
        :raises TimeoutError: when there is no message in time.
        :raises FrameError: when the stream can't be split into frames any more.
        :raises MessageError: when a frame is not a valid message; the next one can be received.
        """
        deadline = None if seconds is None else time.monotonic() + seconds
        while True:
            frame = self._reader.next_frame()
            if frame is None:
                if not self._read_more(deadline):
                    self._reader.end()
                    return None
                continue
            message = decode_message(frame)
            if message is not None:
                return message

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()

    def _read_more(self, deadline: float | None) -> bool:
        if deadline is not None and not self._transport.wait_readable(max(0.0, deadline - time.monotonic())):
            raise TimeoutError
        data = self._transport.read(_READ_BYTES)
        self._reader.feed(data)
        return bool(data)
