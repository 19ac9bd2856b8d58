"""Tell whether files changed, by time and size: for what is only a matter of speed."""

from __future__ import annotations

import os
from collections.abc import Iterable


def states_of(paths: Iterable[str]) -> dict[str, list[int] | None]:
    """Return modification time and size by path, ``None`` for what is not there."""
    states: dict[str, list[int] | None] = {}
    for path in paths:
        try:
            found = os.stat(path or ".")
            states[path] = [found.st_mtime_ns, found.st_size]
        except OSError:
            states[path] = None
    return states
