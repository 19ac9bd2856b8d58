"""Models and collaboration modes (app-server protocol v2, 0.118)."""

from __future__ import annotations

from typing import ClassVar, Literal

from codex_hookspecs.types.app_server.model_settings import ModeKind
from codex_hookspecs.types.json import Unsigned
from codex_hookspecs.types.notifications import Notification
from codex_hookspecs.types.threads import ReasoningEffort
from codex_hookspecs.values import frozen


@frozen(kw_only=True)
class ModelListParams:
    """Parameters of ``model/list``.

    :param cursor: cursor of the page, from the page before; ``None`` for the first one.
    :param include_hidden: whether hidden models are listed too.
    :param limit: maximum number of entries of the page.
    """

    cursor: str | None = None
    include_hidden: bool | None = None
    limit: Unsigned | None = None


@frozen
class CollaborationModeListParams:
    """Parameters of ``collaborationMode/list``."""


InputModality = Literal["text", "image"]
"""A kind of input that a model takes."""


@frozen
class ModelAvailabilityNux:
    """A note to show once for a new model."""

    message: str


@frozen(kw_only=True)
class ModelUpgradeInfo:
    """The model that replaces another."""

    model: str
    migration_markdown: str | None = None
    model_link: str | None = None
    upgrade_copy: str | None = None


@frozen(kw_only=True)
class ReasoningEffortOption:
    """An effort that a model supports."""

    description: str
    reasoning_effort: ReasoningEffort


@frozen(kw_only=True)
class Model:
    """A model that clients may choose."""

    default_reasoning_effort: ReasoningEffort
    description: str
    display_name: str
    hidden: bool
    id: str
    is_default: bool
    model: str
    supported_reasoning_efforts: tuple[ReasoningEffortOption, ...]
    availability_nux: ModelAvailabilityNux | None = None
    input_modalities: tuple[InputModality, ...] = ("text", "image")
    supports_personality: bool = False
    upgrade: str | None = None
    upgrade_info: ModelUpgradeInfo | None = None


@frozen(kw_only=True)
class ModelListResponse:
    """Result of ``model/list``.

    :param next_cursor: cursor of the next page; ``None`` on the last one.
    """

    data: tuple[Model, ...]
    next_cursor: str | None = None


@frozen(kw_only=True)
class CollaborationModeMask:
    """A mode that clients may offer; it sets what is not ``None``."""

    SNAKE_CASE: ClassVar[bool] = True
    name: str
    mode: ModeKind | None = None
    model: str | None = None
    reasoning_effort: ReasoningEffort | None = None


@frozen
class CollaborationModeListResponse:
    """Result of ``collaborationMode/list``."""

    data: tuple[CollaborationModeMask, ...]


ModelRerouteReason = Literal["highRiskCyberActivity"]
"""Why another model answered."""


@frozen(kw_only=True)
class ModelReroutedNotification(Notification):
    """Another model than the chosen one answers."""

    METHOD: ClassVar[str] = "model/rerouted"
    from_model: str
    reason: ModelRerouteReason
    thread_id: str
    to_model: str
    turn_id: str
