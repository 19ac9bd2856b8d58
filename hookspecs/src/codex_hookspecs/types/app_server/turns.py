"""Turns (app-server protocol v2, 0.118)."""

from __future__ import annotations

from typing import ClassVar

from codex_hookspecs.types.json import UserInputObject
from codex_hookspecs.types.notifications import Notification
from codex_hookspecs.values import frozen


@frozen(kw_only=True)
class TurnSteerParams:
    """Parameters of ``turn/steer``.

    :param expected_turn_id: the turn that the client believes to run.
    """

    thread_id: str
    input: list[UserInputObject]
    expected_turn_id: str


@frozen
class TurnSteerResponse:
    """Result of ``turn/steer``."""

    turn_id: str


@frozen(kw_only=True)
class PlanDeltaNotification(Notification):
    """More text of a plan in plan mode."""

    METHOD: ClassVar[str] = "item/plan/delta"
    delta: str
    item_id: str
    thread_id: str
    turn_id: str
