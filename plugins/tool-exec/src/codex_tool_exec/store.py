"""Remember the sessions of a thread, and choose which one has to go when there are too many."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, Protocol, TypeVar

MOST = 64
WARN_AT = 60
_PROTECTED = 8
_FIRST_ID, _LAST_ID = 1000, 99_999


class FileSystemEntry(Protocol):
    """What the store looks at."""

    @property
    def exited(self) -> bool:
        """Whether the process has ended."""
        ...

    @property
    def used_at(self) -> float:
        """When it was last used."""
        ...


E = TypeVar("E", bound=FileSystemEntry)


def random_number(bound: int) -> int:
    """Return a random number below a bound."""
    return int.from_bytes(os.urandom(8), "big") % bound


class SessionStore(Generic[E]):
    """Sessions by number.

    :param draw: returns a number below its argument; random by default.
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
        """Return a number that is not in use, and hold it.

        :param wanted: number to take if it can be had.
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
        """Give a number back and forget its session."""
        self._reserved.discard(number)
        self._sessions.pop(number, None)

    def get(self, number: int) -> E | None:
        """Return a session."""
        return self._sessions.get(number)

    def insert(self, number: int, session: E) -> E | None:
        """Keep a session under its number.

        :return: the session that had to make room and must be ended, or ``None``.
        """
        evicted = None
        if len(self._sessions) >= MOST:
            victim = to_evict([(other, entry.exited, entry.used_at) for other, entry in self._sessions.items()])
            evicted = self._sessions[victim]
            self.release(victim)
        self._sessions[number] = session
        return evicted


def to_evict(entries: Sequence[tuple[int, bool, float]]) -> int:
    """Return the number that goes: the longest unused ended one outside the 8 last used, else the longest unused.

    :param entries: number, whether it ended, when it was last used.
    """
    by_age = sorted(entries, key=lambda entry: entry[2])
    candidates = by_age[:-_PROTECTED] or by_age
    return next((number for number, exited, _ in candidates if exited), candidates[0][0])
