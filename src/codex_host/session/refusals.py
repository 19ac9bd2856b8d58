"""Tell people of calls that were refused: the model alone would know otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_hookspecs.errors import ToolRejected
from codex_hookspecs.types.notifications import WarningNotice

if TYPE_CHECKING:
    from codex_hookspecs.types.tools import HookPayload, ToolCall
    from codex_host.session.turn_state import TurnState

LONGEST = 300
"""Signs of a command or of a reason that are shown."""


async def tell_refused(turn: TurnState, call: ToolCall, payload: HookPayload | None, error: ToolRejected) -> None:
    """Warn of one call that was refused, each time anew.

    :param error: what the model is told; what it was raised from is the reason in plain words.
    """
    reason = error
    while isinstance(reason.__cause__, ToolRejected):
        reason = reason.__cause__
    text = f"{_shown(call, payload)} declined: {_line(_plain(str(reason)))}"
    await turn.thread.notify(WarningNotice(message=text, thread_id=turn.thread.id))


def _shown(call: ToolCall, payload: HookPayload | None) -> str:
    if payload is None:
        return call.name
    if payload.tool_name == "Bash" and isinstance(payload.tool_input, dict):
        return f"command `{_line(str(payload.tool_input.get('command', '')))}`"
    return payload.tool_name


def _plain(reason: str) -> str:
    """Return a reason without the command that it may begin with, which would leave no room for the rest."""
    command, rejected, rest = reason.partition("` rejected: ")
    return f"rejected: {rest}" if rejected and command.startswith("`") else reason


def _line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
