"""Compute the difference between two texts as a unified diff."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator

Block = tuple[int, int, int, int]
"""A differing range: start and end in the old lines, start and end in the new lines."""

_EFFORT = 250
"""Maximum number of edits for which the shortest difference is searched."""
_STEPS = 1_000_000
"""Maximum number of comparisons for one difference."""


def split_lines(text: str) -> list[str]:
    """Split into lines that keep their line feed; the last one may lack it."""
    lines = text.split("\n")
    last = lines.pop()
    return [f"{line}\n" for line in lines] + ([last] if last else [])


def unified_hunks(old: str, new: str, context: int) -> str:
    """Return the hunks of the diff from ``old`` to ``new``, without file headers; empty when they are equal.

    :param context: unchanged lines to show around each change.
    """
    before, after = split_lines(old), split_lines(new)
    text: list[str] = []
    for group in _group(differing_blocks(before, after), context):
        first_old = max(group[0][0] - context, 0)
        end_old = min(group[-1][1] + context, len(before))
        first_new = group[0][2] - (group[0][0] - first_old)
        end_new = group[-1][3] + (end_old - group[-1][1])
        text.append(f"@@ -{_range(first_old, end_old)} +{_range(first_new, end_new)} @@\n")
        position = first_old
        for old_from, old_to, new_from, new_to in group:
            text.extend(_with_sign(" ", before[position:old_from]))
            text.extend(_with_sign("-", before[old_from:old_to]))
            text.extend(_with_sign("+", after[new_from:new_to]))
            position = old_to
        text.extend(_with_sign(" ", before[position:end_old]))
    return "".join(text)


def differing_blocks(before: list[str], after: list[str]) -> list[Block]:
    """Return the ranges in which two lists of lines differ, in order.

    The shortest difference is searched. Where that takes too long, lines that are unique in both texts are matched, and
    the ranges between them are replaced as a whole.
    """
    start, shorter = 0, min(len(before), len(after))
    while start < shorter and before[start] == after[start]:
        start += 1
    tail = 0
    while tail < shorter - start and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    numbers: dict[str, int] = {}
    old = [numbers.setdefault(line, len(numbers)) for line in before[start : len(before) - tail]]
    new = [numbers.setdefault(line, len(numbers)) for line in after[start : len(after) - tail]]
    blocks = _Search(old, new).blocks(0, len(old), 0, len(new))
    return [(a + start, b + start, c + start, d + start) for a, b, c, d in blocks]


class _Search:
    """Computes the difference of two lists of numbers in a bounded number of steps."""

    def __init__(self, old: list[int], new: list[int]) -> None:
        self._old, self._new = old, new
        self._steps = _STEPS

    def blocks(self, a: int, b: int, c: int, d: int, *, split: bool = True) -> list[Block]:
        """Return the differing ranges of ``old[a:b]`` and ``new[c:d]``.

        :param split: whether to match unique lines where the shortest difference takes too long.
        """
        old, new = self._old, self._new
        while a < b and c < d and old[a] == new[c]:
            a, c = a + 1, c + 1
        while a < b and c < d and old[b - 1] == new[d - 1]:
            b, d = b - 1, d - 1
        if a == b or c == d:
            return [(a, b, c, d)] if a < b or c < d else []
        found = self._shortest(old[a:b], new[c:d])
        if found is not None:
            return [(first + a, end + a, start + c, stop + c) for first, end, start, stop in found]
        anchors = _anchors(old[a:b], new[c:d]) if split else []
        blocks: list[Block] = []
        for old_at, new_at in [*((x + a, y + c) for x, y in anchors), (b, d)]:
            if anchors:
                blocks += self.blocks(a, old_at, c, new_at, split=False)
                a, c = old_at + 1, new_at + 1
        return blocks if anchors else [(a, b, c, d)]

    def _shortest(self, old: list[int], new: list[int]) -> list[Block] | None:
        """Return the blocks of a shortest edit (Myers 1986), or ``None`` when it takes more than the effort allowed."""
        if abs(len(old) - len(new)) > _EFFORT:
            return None
        frontier = {1: 0}
        history: list[dict[int, int]] = []
        for edits in range(min(len(old) + len(new), _EFFORT) + 1):
            history.append(dict(frontier))
            for diagonal in range(-edits, edits + 1, 2):
                down = diagonal == -edits or (
                    diagonal != edits and frontier.get(diagonal - 1, -1) < frontier.get(diagonal + 1, -1)
                )
                start = x = frontier[diagonal + 1] if down else frontier[diagonal - 1] + 1
                y = x - diagonal
                while x < len(old) and y < len(new) and old[x] == new[y]:
                    x, y = x + 1, y + 1
                frontier[diagonal] = x
                self._steps -= x - start + 1
                if x >= len(old) and y >= len(new):
                    return _join(_walk_back(history, len(old), len(new)))
            if self._steps < 0:
                return None
        return None


def _walk_back(history: list[dict[int, int]], x: int, y: int) -> list[Block]:
    """Return the single edits of the path found, in order."""
    steps: list[Block] = []
    for edits in range(len(history) - 1, 0, -1):
        frontier = history[edits]
        diagonal = x - y
        down = diagonal == -edits or (
            diagonal != edits and frontier.get(diagonal - 1, -1) < frontier.get(diagonal + 1, -1)
        )
        previous = diagonal + 1 if down else diagonal - 1
        x = frontier[previous]
        y = x - previous
        steps.append((x, x, y, y + 1) if down else (x, x + 1, y, y))
    steps.reverse()
    return steps


def _join(steps: list[Block]) -> list[Block]:
    blocks: list[Block] = []
    for step in steps:
        if blocks and blocks[-1][1] == step[0] and blocks[-1][3] == step[2]:
            blocks[-1] = (blocks[-1][0], step[1], blocks[-1][2], step[3])
        else:
            blocks.append(step)
    return blocks


def _anchors(old: list[int], new: list[int]) -> list[tuple[int, int]]:
    """Return the positions of lines that are unique in both lists: the longest sequence in the same order."""
    once = {number for number, count in Counter(old).items() if count == 1}
    places = {number: place for place, number in enumerate(old) if number in once}
    counts = Counter(new)
    pairs = [(places[number], at) for at, number in enumerate(new) if counts[number] == 1 and number in places]
    ends: list[int] = []
    chosen: list[int] = []
    before: list[int] = []
    for index, (place, _) in enumerate(pairs):
        length = bisect_left(ends, place)
        before.append(chosen[length - 1] if length else -1)
        ends[length : length + 1] = [place]
        chosen[length : length + 1] = [index]
    found = []
    index = chosen[-1] if chosen else -1
    while index >= 0:
        found.append(pairs[index])
        index = before[index]
    return found[::-1]


def _group(blocks: list[Block], context: int) -> Iterator[list[Block]]:
    group: list[Block] = []
    for block in blocks:
        if group and block[0] - group[-1][1] > 2 * context:
            yield group
            group = []
        group.append(block)
    if group:
        yield group


def _range(first: int, end: int) -> str:
    length = end - first
    if length == 1:
        return str(first + 1)
    return f"{first + 1 if length else first},{length}"


def _with_sign(sign: str, lines: list[str]) -> Iterator[str]:
    for line in lines:
        yield sign + line if line.endswith("\n") else f"{sign}{line}\n\\ No newline at end of file\n"
