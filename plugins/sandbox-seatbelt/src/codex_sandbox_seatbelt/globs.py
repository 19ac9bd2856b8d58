"""Translate patterns of denied paths into regular expressions that also match everything below a matching path."""

from __future__ import annotations

import os
from collections.abc import Callable

from codex_sandboxing.globs import expression, fixed_part


def regexes(pattern: str, canonical: Callable[[str], str] = os.path.realpath) -> list[str]:
    """Return the expressions for a pattern as spelled and, if that differs, with its fixed part resolved."""
    fixed = fixed_part(pattern)
    moved = f"{canonical(fixed).rstrip('/')}/{pattern[len(fixed) :].lstrip('/')}".rstrip("/")
    return list(dict.fromkeys(f"^{expression(spelled)}(/.*)?$" for spelled in (pattern, moved)))
