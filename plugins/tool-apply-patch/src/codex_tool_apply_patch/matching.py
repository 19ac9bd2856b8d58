"""Find where the lines of a patch stand in a file, exactly or nearly."""

from __future__ import annotations

from collections.abc import Callable

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
"""How lines are compared, strictest first: exactly, without trailing space, without outer space, plain punctuation."""


class Lines:
    """The lines of one file, prepared for searching."""

    def __init__(self, lines: list[str]) -> None:
        self._forms: list[list[str] | None] = [lines, None, None, None]
        self.count = len(lines)

    def find(self, wanted: list[str], start: int, *, at_end: bool = False) -> int | None:
        """Return where ``wanted`` begins, at ``start`` or later.

        :param at_end: look at the last lines only.
        :return: an index, or ``None`` when no way of comparing finds it.
        """
        if not wanted:
            return start
        if at_end:
            start = max(start, self.count - len(wanted))
        if start + len(wanted) > self.count:
            return None
        for number, form in enumerate(PASSES):
            index = _find(self._form(number), [form(line) for line in wanted], start)
            if index is not None:
                return index
        return None

    def _form(self, number: int) -> list[str]:
        form = self._forms[number]
        if form is None:
            convert = PASSES[number]
            form = self._forms[number] = [convert(line) for line in self._form(0)]
        return form


def _find(lines: list[str], wanted: list[str], start: int) -> int | None:
    """Search as Knuth, Morris and Pratt do, so that repetitive files cost no more than others."""
    try:
        start = lines.index(wanted[0], start)
    except ValueError:
        return None
    fallback = _fallbacks(wanted)
    matched = 0
    for index in range(start, len(lines)):
        while matched and lines[index] != wanted[matched]:
            matched = fallback[matched - 1]
        if lines[index] == wanted[matched]:
            matched += 1
            if matched == len(wanted):
                return index - matched + 1
    return None


def _fallbacks(wanted: list[str]) -> list[int]:
    table = [0] * len(wanted)
    length = 0
    for index in range(1, len(wanted)):
        while length and wanted[index] != wanted[length]:
            length = table[length - 1]
        if wanted[index] == wanted[length]:
            length += 1
        table[index] = length
    return table
