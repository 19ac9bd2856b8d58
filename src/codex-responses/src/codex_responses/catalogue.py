"""Models that clients offer to users, with what is known of them (0.118)."""

from __future__ import annotations

from typing import Final

from codex_hookspecs.protocol import Model, ModelUpgradeInfo, ReasoningEffortOption
from codex_responses.known_models import DEFAULT_MODEL

_EFFORTS: Final = {
    "minimal": "Hardly any reasoning, for the fastest answers",
    "low": "Little reasoning, for fast answers",
    "medium": "A balance of speed and depth for everyday tasks",
    "high": "More reasoning, for complex problems",
    "xhigh": "The most reasoning, for the hardest problems",
}
_FOUR: Final = "low medium high xhigh"
_THREE: Final = "low medium high"


def listed_models() -> tuple[Model, ...]:
    """Return the models that the server of OpenAI has, in the order in which clients show them."""
    return (
        _model("gpt-5.3-codex", "Coding model for agents.", _FOUR, successor="gpt-5.4", personality=True),
        _model("gpt-5.4", "General model, strong at coding.", _FOUR, personality=True),
        _model("gpt-5.2-codex", "Earlier coding model for agents.", _FOUR, successor="gpt-5.4", personality=True),
        _model("gpt-5.1-codex-max", "Earlier coding model for long tasks.", _FOUR, successor="gpt-5.4"),
        _model("gpt-5.1-codex", "Earlier coding model.", _THREE, successor="gpt-5.3-codex", hidden=True),
        _model("gpt-5.2", "Earlier general model.", _FOUR, successor="gpt-5.4"),
        _model("gpt-5.1", "Earlier general model.", _THREE, successor="gpt-5.3-codex", hidden=True),
        _model("gpt-5-codex", "Earlier coding model.", _THREE, successor="gpt-5.3-codex", hidden=True),
        _model("gpt-5", "Earlier general model.", f"minimal {_THREE}", successor="gpt-5.3-codex", hidden=True),
        *(_open_model(size, hidden=True) for size in ("120b", "20b")),
        _model("gpt-5.1-codex-mini", "Small and fast coding model.", "medium high", successor="gpt-5.4"),
        _model(
            "gpt-5-codex-mini",
            "Earlier small and fast coding model.",
            "medium high",
            successor="gpt-5.3-codex",
            hidden=True,
        ),
    )


def open_models() -> tuple[Model, ...]:
    """Return the models with open weights, which servers on the user's machine have."""
    return tuple(_open_model(size) for size in ("20b", "120b"))


def _open_model(size: str, *, hidden: bool = False) -> Model:
    name = f"gpt-oss-{size}"
    return _model(name, f"Model with open weights, {size.upper()} parameters.", _THREE, hidden=hidden, images=False)


def _model(
    name: str,
    description: str,
    efforts: str,
    *,
    successor: str | None = None,
    hidden: bool = False,
    personality: bool = False,
    images: bool = True,
) -> Model:
    return Model(
        id=name,
        model=name,
        display_name=name,
        description=description,
        hidden=hidden,
        is_default=name == DEFAULT_MODEL,
        supported_reasoning_efforts=tuple(
            ReasoningEffortOption(reasoning_effort=effort, description=_EFFORTS[effort]) for effort in efforts.split()
        ),
        default_reasoning_effort="medium",
        input_modalities=("text", "image") if images else ("text",),
        supports_personality=personality,
        upgrade=successor,
        upgrade_info=None if successor is None else ModelUpgradeInfo(model=successor),
    )
