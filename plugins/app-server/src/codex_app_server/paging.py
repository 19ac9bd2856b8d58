"""Split lists into pages; cursors are offsets as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from codex_hookspecs.errors import RpcError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from codex_hookspecs.protocol import JsonObject


def paginate(entries: Sequence[Any], cursor: str | None, limit: int | None) -> JsonObject:
    """Return one page.

    :raises RpcError: when the cursor is invalid.
    """
    if cursor is not None and not (cursor.isascii() and cursor.isdigit() and int(cursor) <= len(entries)):
        raise RpcError(f"invalid cursor: {cursor}")
    begin = int(cursor or 0)
    end = min(begin + max(limit or len(entries), 1), len(entries))
    return {"data": list(entries[begin:end]), "nextCursor": str(end) if end < len(entries) else None}
