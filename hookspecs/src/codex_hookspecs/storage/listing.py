"""Filter, sort and paginate threads (``thread/list`` of Codex 0.118)."""

from __future__ import annotations

import calendar
import time
from typing import TYPE_CHECKING

from codex_hookspecs.errors import StorageError
from codex_hookspecs.ids import is_uuid
from codex_hookspecs.types.storage import ThreadPage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from codex_hookspecs.types.json import JsonObject
    from codex_hookspecs.types.storage import ThreadQuery
    from codex_hookspecs.types.threads import Thread

_STAMP = "%Y-%m-%dT%H:%M:%SZ"
_SUBAGENTS = {"review": "subAgentReview", "compact": "subAgentCompact", "thread_spawn": "subAgentThreadSpawn"}


def page_of(threads: Iterable[Thread], query: ThreadQuery) -> ThreadPage:
    """Return the page of a query.

    :param threads: all archived or all unarchived threads, as the query requests.
    :raises StorageError: for an invalid cursor.
    """
    after = position_of(query)

    def key(thread: Thread) -> tuple[int, str]:
        return _key(thread, query)

    found = (thread for thread in threads if matches_query(thread, query))
    wanted = sorted(found, key=key, reverse=not query.ascending)
    if after is not None:
        wanted = [one for one in wanted if (key(one) > after if query.ascending else key(one) < after)]
    limit = max(1, query.limit)
    page = wanted[:limit]
    return ThreadPage(tuple(page), cursor_after(page[-1], query) if len(wanted) > limit else None)


def source_kind(source: str | JsonObject) -> str:
    """Return the kind of a source, for filters."""
    if isinstance(source, str):
        return source
    kind = source.get("subAgent")
    name = kind if isinstance(kind, str) else next(iter(kind), "") if isinstance(kind, dict) else ""
    return _SUBAGENTS.get(name, "subAgentOther")


def matches_query(thread: Thread, query: ThreadQuery) -> bool:
    """Return whether a thread matches the filters of a query, on whatever page."""
    if query.source_kinds is not None:
        kind = source_kind(thread.source)
        if kind not in query.source_kinds and not (kind.startswith("subAgent") and "subAgent" in query.source_kinds):
            return False
    if query.model_providers and thread.model_provider not in query.model_providers:
        return False
    if query.cwds is not None and thread.cwd not in query.cwds:
        return False
    if query.search_term:
        term = query.search_term.casefold()
        return term in (thread.name or "").casefold() or term in thread.preview.casefold()
    return True


def cursor_after(thread: Thread, query: ThreadQuery) -> str:
    """Return the cursor of the page after a thread."""
    moment, thread_id = _key(thread, query)
    return f"{time.strftime(_STAMP, time.gmtime(moment))}|{thread_id}"


def position_of(query: ThreadQuery) -> tuple[int, str] | None:
    """Decode the cursor: return time and id of the thread before the page, ``None`` for the first page.

    :raises StorageError: for an invalid cursor.
    """
    cursor = query.cursor
    if cursor is None:
        return None
    stamp, _, thread_id = cursor.partition("|")
    try:
        moment = calendar.timegm(time.strptime(stamp, _STAMP))
    except (ValueError, OverflowError):
        raise StorageError(f"invalid cursor: {cursor}") from None
    if not is_uuid(thread_id):
        raise StorageError(f"invalid cursor: {cursor}")
    return moment, thread_id


def _key(thread: Thread, query: ThreadQuery) -> tuple[int, str]:
    return (thread.updated_at if query.sort_key == "updated_at" else thread.created_at, thread.id)
