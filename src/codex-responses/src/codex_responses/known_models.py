"""Facts about models of the Responses API."""

from __future__ import annotations

from typing import Final

from codex_hookspecs.types.models import ModelInfo

DEFAULT_MODEL: Final = "gpt-5.3-codex"
"""Default model of threads."""

_REASONS: Final = ModelInfo(reasoning_effort="medium", reasoning_summary="auto", counts_tokens=True)
_OTHER: Final = ModelInfo()


def info_of(model: str) -> ModelInfo:
    """Return facts about a model (0.118)."""
    return _REASONS if model.startswith("gpt-5") else _OTHER
