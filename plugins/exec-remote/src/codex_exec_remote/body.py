"""Put the body of an HTTP answer together from what a server tells of it (``http/request/bodyDelta``)."""

from __future__ import annotations

import asyncio
from base64 import b64decode
from collections import deque
from collections.abc import Callable
from typing import Final

from codex_exec_remote.dialect import Garbled
from codex_exec_remote.sequence import MOST_WAITING
from codex_hookspecs.environments import broken_body
from codex_hookspecs.errors import HttpError
from codex_hookspecs.protocol import JsonObject

PAUSE_AT: Final = 1024 * 1024
"""Bytes that wait for a reader before nothing more is taken."""
RESUME_AT: Final = PAUSE_AT // 4


class RemoteBody:
    """Hears of the pieces of one body and gives them in the order of their numbers.

    :param hold: called with whether nothing more should come for now.
    :param deadline: moment of the loop's clock by which all must have come.
    :ivar complete: whether nothing more will come, and the connection is as good as before.
    """

    def __init__(self, hold: Callable[[bool], None], deadline: float | None) -> None:
        self.complete = False
        self._hold = hold
        self._deadline = deadline
        self._ready: deque[bytes] = deque()
        self._bytes = 0
        self._held = False
        self._last = 0
        self._early: dict[int, JsonObject] = {}
        self._failure: HttpError | None = None
        self._changed = asyncio.Event()

    def notified(self, method: str, params: JsonObject) -> None:
        """Take a piece.

        :raises Garbled: when it is none.
        """
        seq = params.get("seq")
        if type(seq) is not int:
            raise Garbled("a piece of a body has no number")
        if seq <= self._last or self._over:
            return
        if len(self._early) >= MOST_WAITING:
            self.lost("pieces of it were lost")
            return
        self._early.setdefault(seq, params)
        while (following := self._early.pop(self._last + 1, None)) is not None:
            self._last += 1
            self._take(following)
        self._changed.set()

    def resumed(self) -> None:
        """Connections of requests are not resumed."""

    def lost(self, message: str) -> None:
        """End: nothing more will come."""
        if not self._over:
            self._failure = broken_body(message)
            self._changed.set()

    def __aiter__(self) -> RemoteBody:
        return self

    async def __anext__(self) -> bytes:
        """Return the next piece.

        :raises HttpError: when the body breaks off or is late.
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
                self._failure = broken_body()
        piece = self._ready.popleft()
        self._bytes -= len(piece)
        if self._held and self._bytes <= RESUME_AT:
            self._held = False
            self._hold(False)
        return piece

    @property
    def _over(self) -> bool:
        return self.complete or self._failure is not None

    def _take(self, params: JsonObject) -> None:
        try:
            piece = b64decode(params.get("deltaBase64") or "", validate=True)
        except (TypeError, ValueError) as error:
            raise Garbled(f"no base64: {error}") from error
        if piece:
            self._ready.append(piece)
            self._bytes += len(piece)
        reason = params.get("error")
        if reason is not None:
            self._failure = broken_body(str(reason))
        elif params.get("done") is True:
            self.complete = True
        if self._bytes >= PAUSE_AT and not self._held and not self._over:
            self._held = True
            self._hold(True)
