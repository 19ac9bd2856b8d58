"""Split lists into pages; cursors are offsets as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Generic, NamedTuple, TypeVar

from codex_hookspecs.errors import RpcError

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")

_MAX_DIGITS: Final = 18


class Page(NamedTuple, Generic[T]):
    """A part of a list.

    :param next_cursor: cursor of the next page; ``None`` on the last one.
    """

    entries: tuple[T, ...]
    next_cursor: str | None


def paginate(entries: Sequence[T], cursor: str | None, limit: int | None, *, what: str) -> Page[T]:
    """Return one page.

    :param limit: maximum number of entries; a page has at least one.
    :param what: name of the entries in the message about a cursor beyond the last one.
    :raises RpcError: when the cursor is invalid.
    """
    if cursor is not None and not (cursor.isascii() and cursor.isdigit() and len(cursor) <= _MAX_DIGITS):
        raise RpcError(f"invalid cursor: {cursor}")
    begin = int(cursor or 0)
    if begin > len(entries):
        raise RpcError(f"cursor {cursor} exceeds total {what} {len(entries)}")
    end = min(begin + (len(entries) if limit is None else max(limit, 1)), len(entries))
    return Page(tuple(entries[begin:end]), str(end) if end < len(entries) else None)
