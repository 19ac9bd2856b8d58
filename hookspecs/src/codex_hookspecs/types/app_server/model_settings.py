"""Words that set how a model works, and collaboration modes (app-server protocol v2, 0.118)."""

from __future__ import annotations

from typing import ClassVar, Literal

from codex_hookspecs.types.threads import ReasoningEffort
from codex_hookspecs.values import frozen

ModeKind = Literal["plan", "default"]
"""A mode of working together."""


@frozen(kw_only=True)
class Settings:
    """Settings of the model that a collaboration mode has."""

    SNAKE_CASE: ClassVar[bool] = True
    model: str
    developer_instructions: str | None = None
    reasoning_effort: ReasoningEffort | None = None


@frozen(kw_only=True)
class CollaborationMode:
    """A mode of working together, with its settings of the model."""

    mode: ModeKind
    settings: Settings
