"""What a turn that was interrupted or failed leaves in the history."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import TYPE_CHECKING

from codex_hookspecs.ids import uuid4
from codex_host.session.response_items import message, text_of

if TYPE_CHECKING:
    from codex_host.session.turn_state import TurnState

ABORTED_TEXT = (
    "<turn_aborted>\nThe user stopped the turn before it was done. Commands that were running may have taken effect "
    "in part, and those left in the background may still run.\n</turn_aborted>"
)
CLEAN_UP = 10.0
"""Seconds that a cancelled action has for cleanup before it is abandoned."""
_SHOWN = 200
"""Number of characters that are shown of an input that is not kept."""


async def leave(state: TurnState, actions: Collection[asyncio.Task[None]], *, interrupted: bool) -> None:
    """End the user's actions, keep inputs that the turn has not got to, and tell of an interruption."""
    await end_actions(actions)
    await keep_inputs(state)
    if interrupted:
        await note_interruption(state)


async def end_actions(actions: Collection[asyncio.Task[None]]) -> None:
    """Cancel the user's actions and wait for their end."""
    for task in actions:
        task.cancel()
    if actions:
        await asyncio.wait(tuple(actions), timeout=CLEAN_UP)


async def keep_inputs(state: TurnState) -> None:
    """Add inputs that the turn has not got to to the history, so that the next turn has them.

    Where hooks judge inputs, they are not kept without a judgement; the user is told instead.
    """
    thread = state.thread
    try:
        while state.injected:
            await thread.remember(state.id, state.injected.pop(0))
        while state.pending:
            content = state.pending.pop(0)
            if thread.hooks.user_prompt_submit.enabled(thread):
                text = " ".join(text_of(content).split())
                shown = text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
                await thread.warn(f"the turn ended before hooks had checked this message, so it is not kept: {shown}")
            else:
                await state.add_prompt(content)
    except Exception:
        thread.host.logger("host").warning("keeping the inputs of an unfinished turn", exc_info=True)


async def note_interruption(state: TurnState) -> None:
    """Tell model and hooks of an interruption."""
    thread = state.thread
    try:
        await thread.remember(state.id, {**message("user", ABORTED_TEXT), "id": uuid4()})
        if thread.hooks.interrupt.enabled(thread):
            from codex_hookspecs.types.lifecycle import InterruptEvent

            event = InterruptEvent(**state.event_fields())
            verdict = await thread.hooks.interrupt(event, state.scope())
            if verdict.system_message:
                await thread.warn(verdict.system_message)
    except Exception:
        thread.host.logger("host").warning("after an interruption", exc_info=True)
