"""The sessions of a thread, with eviction when there are too many."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, Protocol, TypeVar

MAX_SESSIONS = 64
WARN_AT = 60
_PROTECTED = 8
_FIRST_ID, _LAST_ID = 1000, 99_999


class Evictable(Protocol):
    """A session, as far as the store needs it."""

    @property
    def exited(self) -> bool:
        """Whether the process has ended."""
        ...

    @property
    def used_at(self) -> float:
        """Time of the last use."""
        ...


E = TypeVar("E", bound=Evictable)


def random_number(bound: int) -> int:
    """Return a random integer below a limit."""
    return int.from_bytes(os.urandom(8), "big") % bound


class SessionStore(Generic[E]):
    """Sessions by number.

    :param draw: returns an integer below its argument; random by default.
    """

    def __init__(self, draw: Callable[[int], int] = random_number) -> None:
        self._draw = draw
        self._reserved: set[int] = set()
        self._sessions: dict[int, E] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def __iter__(self) -> Iterator[E]:
        return iter(list(self._sessions.values()))

    def reserve(self, wanted: int | None = None) -> int:
        """Reserve a number that is not in use.

        :param wanted: preferred number.
        """
        if wanted is not None and wanted not in self._reserved:
            self._reserved.add(wanted)
            return wanted
        while True:
            number = _FIRST_ID + self._draw(_LAST_ID - _FIRST_ID + 1)
            if number not in self._reserved:
                self._reserved.add(number)
                return number

    def release(self, number: int) -> None:
        """Free a number and remove its session."""
        self._reserved.discard(number)
        self._sessions.pop(number, None)

    def get(self, number: int) -> E | None:
        """Return the session of a number."""
        return self._sessions.get(number)

    def insert(self, number: int, session: E) -> E | None:
        """Add a session.

        :return: the session that was evicted and must be ended, or ``None``.
        """
        evicted = None
        if len(self._sessions) >= MAX_SESSIONS:
            victim = select_eviction([(other, entry.exited, entry.used_at) for other, entry in self._sessions.items()])
            evicted = self._sessions[victim]
            self.release(victim)
        self._sessions[number] = session
        return evicted


def select_eviction(entries: Sequence[tuple[int, bool, float]]) -> int:
    """Return the number to evict.

    That is the least recently used one that has ended and is not among the 8 most recent, else the least recently used.

    :param entries: number, whether the process has ended, time of last use.
    """
    by_age = sorted(entries, key=lambda entry: entry[2])
    candidates = by_age[:-_PROTECTED] or by_age
    return next((number for number, exited, _ in candidates if exited), candidates[0][0])
