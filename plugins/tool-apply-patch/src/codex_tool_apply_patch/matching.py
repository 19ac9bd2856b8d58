"""Find lines of a patch in a file, exactly or approximately."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from itertools import accumulate

_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
_SINGLE_QUOTES = "\u2018\u2019\u201a\u201b"
_DOUBLE_QUOTES = "\u201c\u201d\u201e\u201f"
_SPACES = "\u00a0\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_PLAIN = str.maketrans(
    dict.fromkeys(_DASHES, "-")
    | dict.fromkeys(_SINGLE_QUOTES, "'")
    | dict.fromkeys(_DOUBLE_QUOTES, '"')
    | dict.fromkeys(_SPACES, " ")
)


def _plain_punctuation(line: str) -> str:
    return line.strip().translate(_PLAIN)


PASSES: tuple[Callable[[str], str], ...] = (str, str.rstrip, str.strip, _plain_punctuation)
"""How lines are compared, strictest first: exact, without trailing space, without outer space, plain punctuation."""


class Lines:
    """The lines of a file, prepared for searching."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._forms: list[_Text | None] = [None] * len(PASSES)
        self.count = len(lines)

    def find(self, wanted: list[str], start: int, *, at_end: bool = False) -> int | None:
        """Find the lines ``wanted`` at ``start`` or later.

        :param at_end: whether they must be the last lines.
        :return: the index of the first line, or ``None`` when no comparison finds them.
        """
        if not wanted:
            return start
        if at_end:
            start = max(start, self.count - len(wanted))
        if start + len(wanted) > self.count:
            return None
        for number, convert in enumerate(PASSES):
            index = self._form(number).find([convert(line) for line in wanted], start)
            if index is not None:
                return index
        return None

    def _form(self, number: int) -> _Text:
        form = self._forms[number]
        if form is None:
            convert = PASSES[number]
            form = self._forms[number] = _Text([convert(line) for line in self._lines])
        return form


class _Text:
    """Lines joined to one text, so that a string search finds a sequence of lines in linear time."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._text = "\n".join(["", *lines, ""])
        self._starts: list[int] | None = None

    def find(self, wanted: list[str], start: int) -> int | None:
        if start and self._starts is None:
            self._starts = list(accumulate((len(line) + 1 for line in self._lines), initial=0))
        place = self._text.find("\n".join(["", *wanted, ""]), self._starts[start] if self._starts is not None else 0)
        if place < 0:
            return None
        return self._text.count("\n", 0, place) if self._starts is None else bisect_left(self._starts, place)
