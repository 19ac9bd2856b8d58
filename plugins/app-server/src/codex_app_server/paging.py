"""Split lists into pages; cursors are offsets as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from codex_hookspecs.errors import RpcError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from codex_hookspecs.protocol import JsonObject

_MAX_DIGITS: Final = 18


def paginate(entries: Sequence[Any], cursor: str | None, limit: int | None, *, what: str = "") -> JsonObject:
    """Return one page.

    :param limit: maximum number of entries; a page has at least one.
    :param what: name of the entries in the message about a cursor beyond the last one.
    :raises RpcError: when the cursor is invalid.
    """
    if cursor is not None and not (cursor.isascii() and cursor.isdigit() and len(cursor) <= _MAX_DIGITS):
        raise RpcError(f"invalid cursor: {cursor}")
    begin = int(cursor or 0)
    if begin > len(entries):
        raise RpcError(f"cursor {cursor} exceeds total {what} {len(entries)}" if what else f"invalid cursor: {cursor}")
    end = min(begin + (len(entries) if limit is None else max(limit, 1)), len(entries))
    return {"data": list(entries[begin:end]), "nextCursor": str(end) if end < len(entries) else None}
