"""Words that set how a model works, and collaboration modes (app-server protocol v2, 0.118)."""

from __future__ import annotations

from typing import ClassVar, Literal, TypeAlias

from codex_hookspecs.values import frozen

Personality: TypeAlias = str
"""How the model talks: ``none``, ``friendly`` or ``pragmatic``; newer models may know others."""

ServiceTier: TypeAlias = str
"""Service tier of model requests: ``fast`` or ``flex``; providers may know others."""

ModeKind = Literal["plan", "default"]
"""A mode of working together."""

ReasoningEffort: TypeAlias = str
"""How much a model thinks: ``none`` to ``xhigh``; models may know further words."""


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


ReasoningSummary: TypeAlias = str
"""How reasoning is summarized: ``auto``, ``concise``, ``detailed`` or ``none``."""

Verbosity: TypeAlias = str
"""How long answers of the model are: ``low``, ``medium`` or ``high``."""
