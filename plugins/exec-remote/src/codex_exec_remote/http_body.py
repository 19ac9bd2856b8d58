"""Assemble the body of an HTTP response from notifications (``http/request/bodyDelta``)."""

from __future__ import annotations

import asyncio
from base64 import b64decode
from collections import deque
from collections.abc import Callable
from typing import Final

from codex_exec_remote.event_order import MAX_PENDING
from codex_exec_remote.protocol_versions import ProtocolError
from codex_hookspecs.environments import body_failed
from codex_hookspecs.errors import HttpError
from codex_hookspecs.protocol import JsonObject

PAUSE_AT: Final = 1024 * 1024
"""Buffered bytes at which the sender is paused."""
RESUME_AT: Final = PAUSE_AT // 4


class RemoteBody:
    """Receives the pieces of a body and yields them in the order of their sequence numbers.

    :param set_paused: called to pause (``True``) or resume (``False``) the sender.
    :param deadline: event loop time by which the whole body must have arrived.
    :ivar complete: whether the whole body has arrived, so that the connection can be reused.
    """

    def __init__(self, set_paused: Callable[[bool], None], deadline: float | None) -> None:
        self.complete = False
        self._set_paused = set_paused
        self._deadline = deadline
        self._ready: deque[bytes] = deque()
        self._bytes = 0
        self._paused = False
        self._last = 0
        self._pending: dict[int, JsonObject] = {}
        self._failure: HttpError | None = None
        self._changed = asyncio.Event()

    def on_notification(self, method: str, params: JsonObject) -> None:
        """Handle a piece of the body.

        :raises ProtocolError: when the notification is malformed.
        """
        seq = params.get("seq")
        if type(seq) is not int:
            raise ProtocolError("a piece of a body has no sequence number")
        if seq <= self._last or self._ended:
            return
        if len(self._pending) >= MAX_PENDING:
            self.on_lost("pieces of it were lost")
            return
        self._pending.setdefault(seq, params)
        while (following := self._pending.pop(self._last + 1, None)) is not None:
            self._last += 1
            self._take(following)
        self._changed.set()

    def on_resumed(self) -> None:
        """Do nothing; connections of HTTP requests are not resumed."""

    def on_lost(self, message: str) -> None:
        """Fail the body: nothing more will arrive."""
        if not self._ended:
            self._failure = body_failed(message)
            self._changed.set()

    def __aiter__(self) -> RemoteBody:
        return self

    async def __anext__(self) -> bytes:
        """Return the next piece.

        :raises HttpError: when the connection is lost or the deadline has passed.
        """
        while not self._ready:
            if self._failure is not None:
                raise self._failure
            if self.complete:
                raise StopAsyncIteration
            self._changed.clear()
            try:
                async with asyncio.timeout_at(self._deadline):
                    await self._changed.wait()
            except TimeoutError:
                self._failure = body_failed()
        piece = self._ready.popleft()
        self._bytes -= len(piece)
        if self._paused and self._bytes <= RESUME_AT:
            self._paused = False
            self._set_paused(False)
        return piece

    @property
    def _ended(self) -> bool:
        return self.complete or self._failure is not None

    def _take(self, params: JsonObject) -> None:
        try:
            piece = b64decode(params.get("deltaBase64") or "", validate=True)
        except (TypeError, ValueError) as error:
            raise ProtocolError(f"no base64: {error}") from error
        if piece:
            self._ready.append(piece)
            self._bytes += len(piece)
        reason = params.get("error")
        if reason is not None:
            self._failure = body_failed(str(reason))
        elif params.get("done") is True:
            self.complete = True
        if self._bytes >= PAUSE_AT and not self._paused and not self._ended:
            self._paused = True
            self._set_paused(True)
