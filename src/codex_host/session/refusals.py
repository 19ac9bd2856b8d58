"""Tell people of calls that were refused: the model alone would know otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_hookspecs.types.notifications import WarningNotice

if TYPE_CHECKING:
    from codex_hookspecs.errors import ToolRejected
    from codex_hookspecs.types.tools import HookPayload, ToolCall
    from codex_host.session.turn_state import TurnState

LONGEST = 300
"""Signs of a command or of a reason that are shown."""


async def tell_refused(turn: TurnState, call: ToolCall, payload: HookPayload | None, error: ToolRejected) -> None:
    """Warn of one call that was refused, each time anew.

    :param error: has the reason in plain words.
    """
    text = f"{_shown(call, payload)} declined: {_line(error.reason)}"
    await turn.thread.notify(WarningNotice(message=text, thread_id=turn.thread.id))


def _shown(call: ToolCall, payload: HookPayload | None) -> str:
    if payload is None:
        return call.name
    if payload.tool_name == "Bash" and isinstance(payload.tool_input, dict):
        return f"command `{_line(str(payload.tool_input.get('command', '')))}`"
    return payload.tool_name


def _line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
