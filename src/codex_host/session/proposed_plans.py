"""Plans in messages of plan mode: text between lines ``<proposed_plan>`` and ``</proposed_plan>`` (0.118)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from codex_hookspecs.types.app_server.turns import PlanDeltaNotification
from codex_hookspecs.types.items import Plan
from codex_hookspecs.types.notifications import AgentMessageDelta

if TYPE_CHECKING:
    from codex_hookspecs.types.items import AgentMessage
    from codex_host.session.turn_state import TurnState

OPEN = "<proposed_plan>"
CLOSE = "</proposed_plan>"


class PlanSplitter:
    """Splits a message, which arrives in pieces, into parts inside and outside of plans, without the marking lines."""

    def __init__(self) -> None:
        self._inside = False
        self._held = ""
        self._at_start = True

    def feed(self, text: str) -> list[tuple[bool, str]]:
        """Return the parts that are complete so far, each with whether it is inside of a plan."""
        parts: list[tuple[bool, str]] = []
        for piece in _lines(text):
            self._feed(piece, parts)
        return parts

    def finish(self) -> list[tuple[bool, str]]:
        """Return what is left at the end of the message."""
        parts: list[tuple[bool, str]] = []
        if self._held and self._held.strip() != self._tag:
            self._emit(self._held, parts)
        self._held = ""
        return parts

    @property
    def _tag(self) -> str:
        return CLOSE if self._inside else OPEN

    def _feed(self, piece: str, parts: list[tuple[bool, str]]) -> None:
        ends = piece.endswith("\n")
        if self._at_start:
            self._held += piece
            if ends and self._held.strip() == self._tag:
                self._inside, self._held = not self._inside, ""
            elif ends or not self._tag.startswith(self._held.strip()):
                self._emit(self._held, parts)
                self._held, self._at_start = "", ends
        else:
            self._emit(piece, parts)
            self._at_start = ends

    def _emit(self, text: str, parts: list[tuple[bool, str]]) -> None:
        if parts and parts[-1][0] == self._inside:
            parts[-1] = (self._inside, parts[-1][1] + text)
        else:
            parts.append((self._inside, text))


class PlanReader:
    """Shows one message of plan mode to clients as two items, the plan and what is said besides it."""

    def __init__(self, turn: TurnState, message: AgentMessage) -> None:
        self._turn = turn
        self._message = message
        self._splitter = PlanSplitter()
        self._said = ""
        self._plan: Plan | None = None
        self._announced = False
        self._fed = False

    async def feed(self, text: str) -> None:
        """Take a piece of the message."""
        self._fed = True
        await self._show(self._splitter.feed(text))

    async def finish(self, message: AgentMessage) -> None:
        """Complete the items.

        :param message: the whole message.
        """
        if not self._fed:
            await self.feed(message.text)
        await self._show(self._splitter.finish())
        thread, turn_id = self._turn.thread, self._turn.id
        if self._plan is not None:
            await thread.complete_item(turn_id, self._plan)
        if self._announced:
            await thread.complete_item(turn_id, attrs.evolve(message, id=self._message.id, text=self._said))

    async def _show(self, parts: list[tuple[bool, str]]) -> None:
        thread, turn_id = self._turn.thread, self._turn.id
        for inside, text in parts:
            if inside:
                plan = self._plan
                if plan is None:
                    plan = Plan(id=self._turn.next_plan_id(), text="")
                    await thread.start_item(turn_id, plan)
                self._plan = attrs.evolve(plan, text=plan.text + text)
                await thread.notify(
                    PlanDeltaNotification(thread_id=thread.id, turn_id=turn_id, item_id=plan.id, delta=text)
                )
                continue
            if not self._announced:
                self._announced = True
                await thread.start_item(turn_id, self._message)
            self._said += text
            await thread.notify(
                AgentMessageDelta(thread_id=thread.id, turn_id=turn_id, item_id=self._message.id, delta=text)
            )


def _lines(text: str) -> list[str]:
    """Return the lines of a text, which end at line feeds only."""
    lines = text.split("\n")
    return [f"{line}\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
