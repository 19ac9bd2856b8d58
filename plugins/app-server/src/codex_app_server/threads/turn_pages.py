"""The method ``thread/turns/list``: the turns of a thread in pages (0.169)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import attrs

from codex_app_server.turns.turn_methods import check_id
from codex_hookspecs.errors import RpcError, ThreadNotFound
from codex_hookspecs.json_text import JsonError, parse_json
from codex_hookspecs.protocol import AgentMessage, ThreadTurnsListResponse, Turn, UserMessage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from codex_hookspecs.protocol import ThreadTurnsListParams
    from codex_hookspecs.surface import RpcContext

_DEFAULT_PAGE = 25
_MAX_PAGE = 100


async def list_turns(params: ThreadTurnsListParams, context: RpcContext) -> ThreadTurnsListResponse:
    """List the turns of a thread, loaded or not, newest first unless asked otherwise."""
    check_id(params.thread_id)
    try:
        thread = await context.host.threads.read(params.thread_id, include_turns=True)
    except ThreadNotFound as error:
        raise RpcError(f"thread not loaded: {params.thread_id}") from error
    turns = thread.turns if params.sort_direction == "asc" else thread.turns[::-1]
    begin = 0 if params.cursor is None else _position(params.cursor, turns)
    limit = min(_DEFAULT_PAGE if params.limit is None else max(1, params.limit), _MAX_PAGE)
    page = turns[begin : begin + limit]
    more = begin + limit < len(turns)
    return ThreadTurnsListResponse(
        data=tuple(_viewed(turn, params.items_view or "summary") for turn in page),
        next_cursor=cursor_at(page[-1].id, included=False) if more else None,
        backwards_cursor=cursor_at(page[0].id, included=True) if page else None,
    )


def cursor_at(turn_id: str, *, included: bool) -> str:
    """Return the cursor of a page that begins at a turn.

    :param included: whether the turn is on that page; otherwise the one that follows is its first.
    """
    return json.dumps({"turnId": turn_id, "includeAnchor": included}, separators=(",", ":"))


def _position(cursor: str, turns: Sequence[Turn]) -> int:
    """Return the index of the first turn of a page.

    :raises RpcError: when the cursor is invalid, or its turn was taken back.
    """
    try:
        anchor = parse_json(cursor.encode())
        ids = [turn.id for turn in turns]
        return ids.index(anchor["turnId"]) + (anchor["includeAnchor"] is not True)
    except (JsonError, KeyError, TypeError, ValueError):
        raise RpcError(f"invalid cursor: {cursor}") from None


def _viewed(turn: Turn, view: str) -> Turn:
    """Return a turn with all its items, with its messages, or without any."""
    if view == "full":
        return turn
    if view == "notLoaded":
        return attrs.evolve(turn, items=())
    messages = [item for item in turn.items if isinstance(item, UserMessage | AgentMessage)]
    said = [item for item in messages if isinstance(item, AgentMessage)][-1:]
    asked = [item for item in messages if isinstance(item, UserMessage)][:1]
    return attrs.evolve(turn, items=(*asked, *said))
