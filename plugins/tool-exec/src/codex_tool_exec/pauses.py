"""Pause the time limits of a thread's calls while a client asks its user something beside the protocol."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from codex_hookspecs.host import AgentThread

_PAUSES: WeakKeyDictionary[AgentThread, Pauses] = WeakKeyDictionary()


def pauses_of(thread: AgentThread) -> Pauses:
    """Return the pauses of a loaded thread."""
    return _PAUSES.setdefault(thread, Pauses())


class Pauses:
    """The questions of clients, and the time limits that stand still while there are any."""

    def __init__(self) -> None:
        self._questions: Counter[int] = Counter()
        self._limits: dict[asyncio.Timeout, float] = {}

    @property
    def count(self) -> int:
        """Number of open questions."""
        return self._questions.total()

    def begin(self, connection: int) -> bool:
        """Count a question of a connection; return whether it is its first."""
        first = connection not in self._questions
        self._questions[connection] += 1
        if self.count == 1:
            for limit in self._limits:
                self._stop(limit)
        return first

    def end(self, connection: int) -> None:
        """Count a question less: one of this connection, or else of another."""
        owner = connection if self._questions[connection] else self._questions.most_common(1)[0][0]
        self._questions[owner] -= 1
        self._go_on()

    def forget(self, connection: int) -> None:
        """Take back all questions of a connection."""
        if self._questions.pop(connection, 0):
            self._go_on()

    @contextmanager
    def holding(self, limit: asyncio.Timeout) -> Iterator[None]:
        """Let a time limit, which is not over yet, stand still during pauses."""
        self._limits[limit] = 0.0
        if self.count:
            self._stop(limit)
        try:
            yield
        finally:
            del self._limits[limit]

    def _stop(self, limit: asyncio.Timeout) -> None:
        end = limit.when()
        if end is not None and not limit.expired():
            self._limits[limit] = end - asyncio.get_running_loop().time()
            limit.reschedule(None)

    def _go_on(self) -> None:
        if self.count:
            return
        now = asyncio.get_running_loop().time()
        for limit, left in self._limits.items():
            if limit.when() is None:
                limit.reschedule(now + left)
