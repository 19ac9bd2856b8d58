"""Find the entries that match a query best."""

from __future__ import annotations

import heapq
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from codex_file_search.query import parse
from codex_file_search.scoring import bonuses, contiguous, fuzzy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from threading import Event

    from codex_file_search.query import Word
    from codex_file_search.tree_walk import Entry

MAX_MATCHES: Final = 50
MAX_SCORED: Final = 20_000
"""Matching paths whose points are counted; of more, those that have the first word at the start of a name, then the
shortest ones are preferred."""


class Match(NamedTuple):
    """A path that matches.

    :param root: number of the root.
    :param places: places of the matched characters, in order.
    """

    points: int
    path: str
    root: int
    directory: bool
    places: tuple[int, ...]


def rank(entries: Iterable[tuple[int, Sequence[Entry]]], query: str, stop: Event) -> list[Match]:
    """Return the best matches: by points, then by path.

    :param entries: entries with the number of their root.
    :param stop: ends the search early when set; the result is empty then.
    """
    words = parse(query)
    if not words:
        return []
    candidates = [
        (root, entry) for root, listed in entries for entry in listed if not stop.is_set() and _may_match(entry, words)
    ]
    if len(candidates) > MAX_SCORED:
        candidates = heapq.nsmallest(MAX_SCORED, candidates, key=_preference(words[0]))
    found = []
    for root, entry in candidates:
        if stop.is_set():
            return []
        scored = score(entry.path, words)
        if scored is not None:
            found.append(Match(scored[0], entry.path, root, entry.directory, scored[1]))
    best = heapq.nsmallest(MAX_MATCHES, found, key=lambda match: (-match.points, len(match.path), match.path))
    return sorted(best, key=lambda match: (-match.points, match.path, match.root))


def score(path: str, words: Sequence[Word]) -> tuple[int, tuple[int, ...]] | None:
    """Return points and places of a path, ``None`` if it does not match all words."""
    bonus = bonuses(path)
    total, places = 0, set[int]()
    for word in words:
        found = _match(word, word.fold(path), bonus)
        if (found is None) != word.inverse:
            return None
        if found is not None:
            total += found[0]
            places.update(found[1])
    return total, tuple(sorted(places))


def _match(word: Word, text: str, bonus: list[int]) -> tuple[int, list[int]] | None:
    needle, size = word.text, len(word.text)
    if word.kind == "fuzzy":
        return fuzzy(needle, text, bonus)
    if word.kind == "substring":
        starts = [each.start() for each in re.finditer(f"(?={re.escape(needle)})", text)]
    elif word.kind == "prefix":
        starts = [0] if text.startswith(needle) else []
    elif word.kind == "suffix":
        starts = [len(text) - size] if text.endswith(needle) else []
    else:
        starts = [0] if text == needle else []
    if not starts:
        return None
    points, start = max((contiguous(start, size, bonus), -start) for start in starts)
    return points, list(range(-start, -start + size))


def _may_match(entry: Entry, words: Sequence[Word]) -> bool:
    """Return whether the characters of all fuzzy words occur in order."""
    for word in words:
        if word.kind != "fuzzy" or word.inverse:
            continue
        text, place = word.fold(entry.path), -1
        for sign in word.text:
            place = text.find(sign, place + 1)
            if place < 0:
                return False
    return True


def _preference(word: Word) -> Callable[[tuple[int, Entry]], tuple[bool, int, str]]:
    begins = re.compile(rf"(?:^|/){re.escape(word.text)}")

    def key(candidate: tuple[int, Entry]) -> tuple[bool, int, str]:
        path = candidate[1].path
        return begins.search(word.fold(path)) is None, len(path), path

    return key
