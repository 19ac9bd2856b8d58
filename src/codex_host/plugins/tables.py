"""Format rows as a table with aligned columns."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence

from codex_hookspecs.terminal_text import escape_controls_in_line

_GAP = "  "
_NARROWEST = 8


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as text for standard output, with columns two spaces apart and control characters escaped.

    On a terminal a row takes one line: the widest cells are cut.
    """
    rows = [[escape_controls_in_line(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    if sys.stdout.isatty():
        widths = _fitting(widths, shutil.get_terminal_size().columns)
    lines = (_GAP.join(_cell(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return "\n".join(lines)


def _cell(text: str, width: int) -> str:
    return text.ljust(width) if len(text) <= width else f"{text[: width - 1]}…"


def _fitting(widths: Sequence[int], total: int) -> list[int]:
    """Return widths of columns of which the widest are narrowed until they fit, if they can."""
    fitting = list(widths)
    excess = sum(fitting) + len(_GAP) * (len(fitting) - 1) - total
    while excess > 0 and max(fitting) > _NARROWEST:
        fitting[fitting.index(max(fitting))] -= 1
        excess -= 1
    return fitting
