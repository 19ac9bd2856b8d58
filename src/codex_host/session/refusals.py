"""Warn users of refused tool calls, which otherwise only the model learns of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_hookspecs.types.notifications import WarningNotice

if TYPE_CHECKING:
    from codex_hookspecs.errors import ToolRejected
    from codex_hookspecs.types.tools import HookPayload, ToolCall
    from codex_host.session.turn_state import TurnState

MAX_LENGTH = 300
"""Most characters of a command or reason in a warning."""


async def report_refusal(turn: TurnState, call: ToolCall, payload: HookPayload | None, error: ToolRejected) -> None:
    """Warn of a refused call, each time it happens.

    :param error: the refusal with its reason.
    """
    text = f"{_describe(call, payload)} declined: {_single_line(error.reason)}"
    await turn.thread.notify(WarningNotice(message=text, thread_id=turn.thread.id))


def _describe(call: ToolCall, payload: HookPayload | None) -> str:
    if payload is None:
        return call.name
    if payload.tool_name == "Bash" and isinstance(payload.tool_input, dict):
        return f"command `{_single_line(str(payload.tool_input.get('command', '')))}`"
    return payload.tool_name


def _single_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MAX_LENGTH else f"{line[: MAX_LENGTH - 1]}…"
