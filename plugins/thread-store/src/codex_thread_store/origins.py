"""Threads of Codex 0.169: their lines are numbered, and forked and reverted ones begin in another file."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from codex_thread_store import layout

PAGINATED = b'"history_mode":"paginated"'
"""What the first line of a numbered file has."""

_ORDINAL = re.compile(rb'\{"timestamp":"[^"]{0,40}","ordinal":([0-9]{1,15}),')


class Origin(NamedTuple):
    """The beginning of a thread in another file.

    :param path: that file.
    :param ordinal: ordinal of the first line that is not part of it.
    :param size: length of that part in bytes, ``None`` if only the ordinal is known.
    """

    path: str
    ordinal: int
    size: int | None

    def ends_at(self, line: dict[str, Any]) -> bool:
        """Return whether a line of the file is not part of it any more."""
        ordinal = line.get("ordinal")
        return self.size is None and isinstance(ordinal, int) and ordinal >= self.ordinal


def find_origin(payload: dict[str, Any], home: str) -> Origin | None:
    """Find the beginning of a thread.

    :param payload: the ``session_meta`` of its rollout.
    :param home: ``$CODEX_HOME``.
    :return: ``None`` when the rollout is complete, or that file is gone.
    """
    base = payload.get("history_base")
    size = None
    if isinstance(base, dict):
        segment, ordinal, size = base.get("thread_id"), base.get("end_ordinal_exclusive"), base.get("end_byte_offset")
    else:
        segment, ordinal = payload.get("forked_from_id"), payload.get("forked_from_ordinal_exclusive")
    if not isinstance(segment, str) or not isinstance(ordinal, int):
        return None
    path = layout.find_segment(home, segment)
    return None if path is None else Origin(path, ordinal, size if isinstance(size, int) else None)


def next_ordinal(lines: Iterable[bytes]) -> int | None:
    """Return the number of the next line of a rollout.

    :param lines: all its lines.
    :return: ``None`` when they are not numbered.
    """
    number: int | None = None
    for line in lines:
        if number is None and PAGINATED not in line:
            return None
        found = _ORDINAL.match(line)
        number = (number or 0) + 1 if found is None else int(found[1]) + 1
    return number
