"""How well characters of a query match a path: the points of the public fuzzy finders (fzf, nucleo) for paths."""

from __future__ import annotations

from typing import Final

MATCH: Final = 16
GAP_START: Final = 3
GAP: Final = 1
CONSECUTIVE: Final = 4
BOUNDARY: Final = 8
"""Bonus after white space, or after a character that is not part of a word."""
DELIMITER: Final = 9
"""Bonus at the start of a name."""
CAMEL: Final = 5
"""Bonus of an upper-case letter after a lower-case one, and of the first digit."""
FIRST: Final = 2
"""Factor of the bonus of the first character."""
_NONE: Final = -(10**6)


def bonuses(text: str) -> list[int]:
    """Return the bonus of each character of a path."""
    found = []
    previous = "/"
    for sign in text:
        if sign == "/":
            bonus = 0
        elif not sign.isalnum():
            bonus = BOUNDARY
        elif previous == "/":
            bonus = DELIMITER
        elif not previous.isalnum():
            bonus = BOUNDARY
        elif (previous.islower() and sign.isupper()) or (sign.isdigit() and not previous.isdigit()):
            bonus = CAMEL
        else:
            bonus = 0
        found.append(bonus)
        previous = sign
    return found


def contiguous(start: int, length: int, bonus: list[int]) -> int:
    """Return the points of a match of adjacent characters."""
    first = bonus[start]
    points = MATCH + first * FIRST
    for place in range(start + 1, start + length):
        own = bonus[place]
        if own >= BOUNDARY and own > first:
            first = own
        points += MATCH + max(own, first, CONSECUTIVE)
    return points


def fuzzy(needle: str, text: str, bonus: list[int]) -> tuple[int, list[int]] | None:
    """Return points and places of the best match of the characters of a text in order, or ``None``.

    :param needle: at least one character.
    :param text: with the same case folding as the needle.
    :param bonus: of each character of the text.
    """
    first = text.find(needle[0])
    place = first
    for sign in needle[1:]:
        if place < 0:
            return None
        place = text.find(sign, place + 1)
    if place < 0:
        return None
    last = text.rfind(needle[-1])
    text, bonus = text[first : last + 1], bonus[first : last + 1]
    rows = _rows(needle, text, bonus)
    return _trace(rows, needle, first)


def _rows(needle: str, text: str, bonus: list[int]) -> list[tuple[list[int], list[int]]]:
    """Return for each character of the needle the points up to each place, and the length of the run ending there."""
    width = len(text)
    rows: list[tuple[list[int], list[int]]] = []
    above, above_runs = [0] * width, [0] * width
    for row, sign in enumerate(needle):
        points, runs = [_NONE] * width, [0] * width
        best, gap = _NONE, False
        for column in range(row, width):
            skipped = best - (GAP if gap else GAP_START)
            if text[column] == sign:
                own, run = bonus[column], 1
                if row == 0:
                    matched = MATCH + own * FIRST
                else:
                    before = above[column - 1]
                    run = above_runs[column - 1] + 1
                    value = own
                    if run > 1:
                        start = bonus[column - run + 1]
                        if own >= BOUNDARY and own > start:
                            run = 1
                        else:
                            value = max(own, CONSECUTIVE, start)
                    matched = before + MATCH + value
                if matched >= skipped:
                    best, gap = matched, False
                    points[column], runs[column] = matched, run
                    continue
            best, gap = skipped, True
            points[column] = best
        rows.append((points, runs))
        above, above_runs = points, runs
    return rows


def _trace(rows: list[tuple[list[int], list[int]]], needle: str, offset: int) -> tuple[int, list[int]] | None:
    """Return the points of the best match, and its places from the last character back to the first."""
    points, runs = rows[-1]
    column = max(range(len(points)), key=points.__getitem__)
    if points[column] <= _NONE // 2:
        return None
    best, places = points[column], []
    row = len(needle) - 1
    while row >= 0:
        points, runs = rows[row]
        while not runs[column]:
            column -= 1
        places.append(column + offset)
        row, column = row - 1, column - 1
    places.reverse()
    return best, places
