"""Model providers: requests, the events of a response, errors."""

from __future__ import annotations

from codex_hookspecs._lazy import exported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codex_hookspecs.errors import ModelError as ModelError
    from codex_hookspecs.markers import hookimpl as hookimpl
    from codex_hookspecs.ports.models import ModelProvider as ModelProvider
    from codex_hookspecs.types.models import Completed as Completed
    from codex_hookspecs.types.models import ItemAdded as ItemAdded
    from codex_hookspecs.types.models import ItemDone as ItemDone
    from codex_hookspecs.types.models import ModelEvent as ModelEvent
    from codex_hookspecs.types.models import ModelInfo as ModelInfo
    from codex_hookspecs.types.models import ModelRequest as ModelRequest
    from codex_hookspecs.types.models import ModelWarning as ModelWarning
    from codex_hookspecs.types.models import RateLimits as RateLimits
    from codex_hookspecs.types.models import ReasoningDelta as ReasoningDelta
    from codex_hookspecs.types.models import Retrying as Retrying
    from codex_hookspecs.types.models import SummaryDelta as SummaryDelta
    from codex_hookspecs.types.models import SummaryPartAdded as SummaryPartAdded
    from codex_hookspecs.types.models import TextDelta as TextDelta
    from codex_hookspecs.types.threads import TokenUsage as TokenUsage

__all__, __getattr__, __dir__ = exported(
    __name__,
    {
        "markers": "hookimpl",
        "errors": "ModelError",
        "ports.models": "ModelProvider",
        "types.models": (
            "Completed ItemAdded ItemDone ModelEvent ModelInfo ModelRequest ModelWarning RateLimits ReasoningDelta "
            "Retrying SummaryDelta SummaryPartAdded TextDelta"
        ),
        "types.threads": "TokenUsage",
    },
)
