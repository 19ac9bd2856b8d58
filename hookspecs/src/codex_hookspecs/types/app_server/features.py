"""Experimental features, feedback and the set-up of the Windows sandbox (app-server protocol v2, 0.118)."""

from __future__ import annotations

from typing import ClassVar, Literal

from codex_hookspecs.types.json import AbsolutePathBuf, Size, Unsigned
from codex_hookspecs.types.notifications import Notification
from codex_hookspecs.values import frozen


@frozen(kw_only=True)
class ExperimentalFeatureListParams:
    """Parameters of ``experimentalFeature/list``.

    :param cursor: cursor of the page, from the page before; ``None`` for the first one.
    :param limit: maximum number of entries of the page.
    """

    cursor: str | None = None
    limit: Unsigned | None = None


@frozen
class ExperimentalFeatureEnablementSetParams:
    """Parameters of ``experimentalFeature/enablement/set``."""

    enablement: dict[str, bool]


@frozen
class MockExperimentalMethodParams:
    """Parameters of ``mock/experimentalMethod``."""

    value: str | None = None


WindowsSandboxSetupMode = Literal["elevated", "unelevated"]
"""Whether the set-up may use administrator rights."""


@frozen(kw_only=True)
class WindowsSandboxSetupStartParams:
    """Parameters of ``windowsSandbox/setupStart``."""

    mode: WindowsSandboxSetupMode
    cwd: AbsolutePathBuf | None = None


@frozen(kw_only=True)
class FeedbackUploadParams:
    """Parameters of ``feedback/upload``."""

    classification: str
    include_logs: bool
    extra_log_files: list[str] | None = None
    reason: str | None = None
    thread_id: str | None = None


ExperimentalFeatureStage = Literal["beta", "underDevelopment", "stable", "deprecated", "removed"]
"""How finished a feature is."""


@frozen(kw_only=True)
class ExperimentalFeature:
    """A feature and whether it is enabled."""

    default_enabled: bool
    enabled: bool
    name: str
    stage: ExperimentalFeatureStage
    announcement: str | None = None
    description: str | None = None
    display_name: str | None = None


@frozen(kw_only=True)
class ExperimentalFeatureListResponse:
    """Result of ``experimentalFeature/list``.

    :param next_cursor: cursor of the next page; ``None`` on the last one.
    """

    data: tuple[ExperimentalFeature, ...]
    next_cursor: str | None = None


@frozen
class ExperimentalFeatureEnablementSetResponse:
    """Result of ``experimentalFeature/enablement/set``."""

    enablement: dict[str, bool]


@frozen
class MockExperimentalMethodResponse:
    """Result of ``mock/experimentalMethod``."""

    echoed: str | None = None


@frozen
class WindowsSandboxSetupStartResponse:
    """Result of ``windowsSandbox/setupStart``."""

    started: bool


@frozen
class FeedbackUploadResponse:
    """Result of ``feedback/upload``."""

    thread_id: str


@frozen(kw_only=True)
class WindowsWorldWritableWarningNotification(Notification):
    """Directories that everybody may write weaken the Windows sandbox."""

    METHOD: ClassVar[str] = "windows/worldWritableWarning"
    extra_count: Size
    failed_scan: bool
    sample_paths: tuple[str, ...]


@frozen(kw_only=True)
class WindowsSandboxSetupCompletedNotification(Notification):
    """The set-up of the Windows sandbox ended."""

    METHOD: ClassVar[str] = "windowsSandbox/setupCompleted"
    mode: WindowsSandboxSetupMode
    success: bool
    error: str | None = None
