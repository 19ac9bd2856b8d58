"""The models for new threads, of which one is the default."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import attrs

from codex_hookspecs.protocol import Model, ReasoningEffortOption

if TYPE_CHECKING:
    from codex_hookspecs.types.models import ModelInfo

_EFFORTS: Final = ("low", "medium", "high", "xhigh")


def with_default(catalogue: Sequence[Model], default: str, info: ModelInfo, effort: Any) -> list[Model]:
    """Return a catalogue in which one model is the default; it is added in front if it is missing.

    :param default: name of the model that new threads get.
    :param info: facts about it.
    :param effort: the configured reasoning effort, or ``None``.
    """
    models = [
        attrs.evolve(model, is_default=model.model == default, hidden=model.hidden and model.model != default)
        for model in catalogue
    ]
    if any(model.is_default for model in models):
        return models
    own = Model(
        id=default,
        model=default,
        display_name=default,
        description="The configured model.",
        hidden=False,
        is_default=True,
        supported_reasoning_efforts=tuple(
            ReasoningEffortOption(reasoning_effort=word, description=word) for word in _EFFORTS
        ),
        default_reasoning_effort=effort or info.reasoning_effort or "medium",
    )
    return [own, *models]
