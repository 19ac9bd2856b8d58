"""Put the events of a process into the order of their sequence numbers, without duplicates."""

from __future__ import annotations

from collections.abc import Collection

from codex_exec_remote.protocol_versions import SequencedEvent

MAX_PENDING = 4096
"""Maximum number of events that are kept while an earlier one is missing."""


class EventOrder:
    """Returns events in order and keeps those that arrived too early.

    :ivar last: sequence number of the last event returned.
    """

    __slots__ = ("_pending", "last")

    def __init__(self) -> None:
        self.last = 0
        self._pending: dict[int, SequencedEvent] = {}

    @property
    def pending(self) -> Collection[int]:
        """Sequence numbers of the events that arrived too early."""
        return self._pending.keys()

    def add(self, event: SequencedEvent) -> list[SequencedEvent]:
        """Add an event and return those that are now next in order; duplicates are ignored."""
        if event.seq != self.last + 1:
            if event.seq > self.last and len(self._pending) < MAX_PENDING:
                self._pending.setdefault(event.seq, event)
            return []
        self.last = event.seq
        ready = [event]
        while self._pending and (following := self._pending.pop(self.last + 1, None)) is not None:
            self.last += 1
            ready.append(following)
        return ready

    def has_pending(self, kind: type[SequencedEvent]) -> bool:
        """Tell whether an event of a kind is among those that arrived too early."""
        return any(type(event) is kind for event in self._pending.values())
