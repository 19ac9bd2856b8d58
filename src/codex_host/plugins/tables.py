"""Format rows as a table with aligned columns."""

from __future__ import annotations

from collections.abc import Sequence

from codex_hookspecs.terminal_text import escape_controls_in_line


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as text with columns two spaces apart and control characters escaped."""
    rows = [[escape_controls_in_line(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return "\n".join(lines)
