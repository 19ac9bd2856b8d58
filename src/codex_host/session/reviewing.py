"""The items around a review (app-server protocol v2, 0.118)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_hookspecs.ids import uuid4
from codex_hookspecs.types.items import EnteredReviewMode, ExitedReviewMode

if TYPE_CHECKING:
    from codex_hookspecs.types.threads import TurnStatus
    from codex_host.session.turn_state import TurnState

NO_ANSWER = "The reviewer gave no answer."
NOT_DONE = "The review ended before it was done; start it again."


async def enter_review(state: TurnState, subject: str) -> None:
    """Show that a review begins.

    :param subject: what is reviewed, as shown to users.
    """
    item = EnteredReviewMode(id=uuid4(), review=subject)
    await state.thread.start_item(state.id, item)
    await state.thread.complete_item(state.id, item)
    state.entered_review = True


async def leave_review(state: TurnState, status: TurnStatus) -> None:
    """Show that a review has ended, with its text."""
    text = (state.last_message or NO_ANSWER) if status == "completed" else NOT_DONE
    item = ExitedReviewMode(id=uuid4(), review=text)
    await state.thread.start_item(state.id, item)
    await state.thread.complete_item(state.id, item)
