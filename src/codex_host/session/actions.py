"""Perform actions of the user within a turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_hookspecs.errors import CodexError
from codex_hookspecs.ids import uuid4
from codex_hookspecs.types.tools import ToolCall
from codex_host.session.tool_context import CallContext

if TYPE_CHECKING:
    from codex_hookspecs.ports.threads import Action
    from codex_host.session.turn_state import TurnState


async def perform(state: TurnState, action: Action) -> None:
    """Perform an action; what it returns is added to the history before the next model request."""
    thread = state.thread
    context = CallContext(state, ToolCall(call_id=uuid4(), name="", arguments=""))
    try:
        state.injected.extend(await action(context))
    except CodexError as error:
        await thread.warn(str(error))
    except Exception as error:
        thread.host.logger("host").warning("an action of the user failed", exc_info=True)
        await thread.warn(f"internal error: {type(error).__name__}: {error}")
