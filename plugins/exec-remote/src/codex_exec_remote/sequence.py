"""Put the events of a process into the order of their numbers, each once (numbers of the exec-server protocol)."""

from __future__ import annotations

from collections.abc import Collection

from codex_exec_remote.dialect import Numbered

MOST_WAITING = 4096
"""Events that may come too early before the ones in between are asked for at once."""


class Sequence:
    """Hands on what is next in line and keeps what came too early.

    :ivar last: number of the last event handed on.
    """

    __slots__ = ("_early", "last")

    def __init__(self) -> None:
        self.last = 0
        self._early: dict[int, Numbered] = {}

    @property
    def early(self) -> Collection[int]:
        """Numbers of what came too early."""
        return self._early.keys()

    def add(self, event: Numbered) -> list[Numbered]:
        """Take an event and return those that are next in line now; one that came before counts once."""
        if event.seq != self.last + 1:
            if event.seq > self.last and len(self._early) < MOST_WAITING:
                self._early.setdefault(event.seq, event)
            return []
        self.last = event.seq
        ready = [event]
        while self._early and (following := self._early.pop(self.last + 1, None)) is not None:
            self.last += 1
            ready.append(following)
        return ready

    def early_exit(self, kind: type[Numbered]) -> bool:
        """Tell whether an event of a kind came too early."""
        return any(type(event) is kind for event in self._early.values())
