"""The method ``thread/compact/start``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import attrs

from codex_app_server.turns.turn_methods import require_loaded
from codex_hookspecs.protocol import (
    ErrorNotice,
    ThreadCompactStartResponse,
    Turn,
    TurnCompleted,
    TurnError,
    TurnStarted,
    uuid7,
)

if TYPE_CHECKING:
    from codex_hookspecs.host import LoadedThread
    from codex_hookspecs.protocol import ThreadCompactStartParams
    from codex_hookspecs.surface import RpcContext

_REASON = "compaction is not part of this version"


async def start(params: ThreadCompactStartParams, context: RpcContext) -> ThreadCompactStartResponse:
    """Tell, with a turn that fails at once, that the history can't be compacted; it is not changed.

    The request itself succeeds, since terminal interfaces of Codex end when it is refused.
    """
    thread = require_loaded(params.thread_id, context)
    context.after_response(lambda: _fail(thread))
    return ThreadCompactStartResponse()


async def _fail(thread: LoadedThread) -> None:
    """Notify clients of a failed turn; the status is that of a running turn, if there is one."""
    turn = Turn(id=uuid7(), status="inProgress", started_at=int(time.time()))
    error = TurnError(_REASON, "other")
    if thread.active_turn_id is None:
        await thread.set_status({"type": "active", "activeFlags": []})
    await thread.notify(TurnStarted(thread_id=thread.id, turn=turn))
    if thread.active_turn_id is None:
        await thread.set_status({"type": "systemError"})
    await thread.notify(ErrorNotice(error=error, will_retry=False, thread_id=thread.id, turn_id=turn.id))
    failed = attrs.evolve(turn, status="failed", error=error, completed_at=int(time.time()), duration_ms=0)
    await thread.notify(TurnCompleted(thread_id=thread.id, turn=failed))
