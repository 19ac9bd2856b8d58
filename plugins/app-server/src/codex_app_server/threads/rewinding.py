"""Methods that take the last turns of a thread back: rollback (0.118) and revert (0.169)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from codex_app_server.threads.turn_pages import cursor_at
from codex_app_server.turns.turn_methods import require_loaded
from codex_hookspecs.errors import RpcError, ThreadNotFound
from codex_hookspecs.protocol import ThreadReverted, ThreadRevertResponse, ThreadRollbackResponse

if TYPE_CHECKING:
    from codex_hookspecs.host import LoadedThread
    from codex_hookspecs.protocol import ThreadRevertParams, ThreadRollbackParams
    from codex_hookspecs.surface import RpcContext


async def roll_back(params: ThreadRollbackParams, context: RpcContext) -> ThreadRollbackResponse:
    """Take back a number of turns; refused while one is running."""
    if params.num_turns < 1:
        raise RpcError("numTurns must be >= 1")
    thread = require_loaded(params.thread_id, context)
    await _drop(thread, params.num_turns)
    return ThreadRollbackResponse(attrs.evolve(thread.summary(), turns=tuple(await thread.turns())))


async def revert(params: ThreadRevertParams, context: RpcContext) -> ThreadRevertResponse:
    """Take back a turn and those after it; a running one is interrupted."""
    thread = require_loaded(params.thread_id, context)
    ids = [turn.id for turn in await thread.turns()]
    if params.before_turn_id not in ids:
        raise RpcError(f"turn not found: {params.before_turn_id}")
    if thread.active_turn_id is not None:
        await thread.interrupt()
        ids = [turn.id for turn in await thread.turns()]
    kept = ids.index(params.before_turn_id)
    await _drop(thread, len(ids) - kept)
    context.after_response(lambda: thread.notify(ThreadReverted(thread.id)))
    last = cursor_at(ids[kept - 1], included=True) if kept else None
    return ThreadRevertResponse(thread=thread.summary(), turns_backwards_cursor=last)


async def _drop(thread: LoadedThread, count: int) -> None:
    try:
        await thread.roll_back(count)
    except ThreadNotFound as error:
        raise RpcError(f"no rollout found for thread id {thread.id}") from error
