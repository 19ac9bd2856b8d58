"""Send and receive messages over whatever carries bytes."""

from __future__ import annotations

import threading
import time
from typing import Protocol

from codex_sandbox_windows.frames import FrameReader, encode_frame
from codex_sandbox_windows.messages import Message, decode_message, encode_message

_READ_BYTES = 65536


class Transport(Protocol):
    """Carries bytes both ways; blocking."""

    def read(self, size: int) -> bytes:
        """Return what is there, at least a byte; nothing at the end.

        :raises OSError: when the connection broke.
        """
        ...

    def write(self, data: bytes) -> None:
        """Write all of it.

        :raises OSError: when the other side is gone.
        """
        ...

    def wait_readable(self, seconds: float) -> bool:
        """Wait until something, or the end, can be read; ``False`` when the time is over."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...


class Channel:
    """Messages over a transport; any thread may send, one receives."""

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
        """Return the next message of a known type, ``None`` at the end.

        :param seconds: how long to wait at most.
        :raises TimeoutError: when the time is over.
        :raises FrameError: when the stream is broken.
        :raises MessageError: when it is no message; the next one can be received.
        """
        deadline = None if seconds is None else time.monotonic() + seconds
        while True:
            frame = self._reader.next_frame()
            if frame is None:
                if not self._more(deadline):
                    self._reader.end()
                    return None
                continue
            message = decode_message(frame)
            if message is not None:
                return message

    def close(self) -> None:
        """Let go of the connection."""
        self._transport.close()

    def _more(self, deadline: float | None) -> bool:
        if deadline is not None and not self._transport.wait_readable(max(0.0, deadline - time.monotonic())):
            raise TimeoutError
        data = self._transport.read(_READ_BYTES)
        self._reader.feed(data)
        return bool(data)
