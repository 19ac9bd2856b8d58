"""Values of the configuration (app-server protocol v2, 0.118)."""

from __future__ import annotations

from typing import ClassVar, Literal

from attrs import field

from codex_hookspecs.types.sandbox import SandboxMode
from codex_hookspecs.types.threads import (
    ApprovalPolicy,
    ApprovalsReviewer,
    ReasoningEffort,
    ReasoningSummary,
    ServiceTier,
    Verbosity,
)
from codex_hookspecs.values import frozen


@frozen
class AnalyticsConfig:
    """The table ``analytics``."""

    enabled: bool | None = None


AppToolApproval = Literal["auto", "prompt", "approve"]
"""When tools of an app need approval."""


@frozen
class AppToolsConfig:
    """Settings of the tools of an app, by name of the tool."""


@frozen(kw_only=True)
class AppConfig:
    """Settings of one app."""

    SNAKE_CASE: ClassVar[bool] = True
    default_tools_approval_mode: AppToolApproval | None = None
    default_tools_enabled: bool | None = None
    destructive_enabled: bool | None = None
    enabled: bool = True
    open_world_enabled: bool | None = None
    tools: AppToolsConfig | None = None


@frozen(kw_only=True)
class AppToolConfig:
    """Settings of one tool of an app."""

    SNAKE_CASE: ClassVar[bool] = True
    approval_mode: AppToolApproval | None = None
    enabled: bool | None = None


@frozen(kw_only=True)
class AppsDefaultConfig:
    """Settings of apps that have none of their own."""

    SNAKE_CASE: ClassVar[bool] = True
    destructive_enabled: bool = True
    enabled: bool = True
    open_world_enabled: bool = True


@frozen
class AppsConfig:
    """Settings of apps, by id of the app."""

    default: AppsDefaultConfig | None = field(default=None, metadata={"wire": "_default"})


ForcedLoginMethod = Literal["chatgpt", "api"]
"""The only way to log in that the configuration allows."""

WebSearchContextSize = Literal["low", "medium", "high"]
"""How much of the found pages the model sees."""


@frozen(kw_only=True)
class WebSearchLocation:
    """Where the user is, for searches."""

    city: str | None = None
    country: str | None = None
    region: str | None = None
    timezone: str | None = None


@frozen(kw_only=True)
class WebSearchToolConfig:
    """The table ``tools.web_search``."""

    SNAKE_CASE: ClassVar[bool] = True
    allowed_domains: tuple[str, ...] | None = None
    context_size: WebSearchContextSize | None = None
    location: WebSearchLocation | None = None


@frozen(kw_only=True)
class ToolsV2:
    """The table ``tools``."""

    SNAKE_CASE: ClassVar[bool] = True
    view_image: bool | None = None
    web_search: WebSearchToolConfig | None = None


WebSearchMode = Literal["disabled", "cached", "live"]
"""Whether the model may search the web, and in which index."""


@frozen(kw_only=True)
class ProfileV2:
    """A profile of the configuration; keys without a field of their own are kept as they are."""

    SNAKE_CASE: ClassVar[bool] = True
    approval_policy: ApprovalPolicy | None = None
    approvals_reviewer: ApprovalsReviewer | None = None
    chatgpt_base_url: str | None = None
    model: str | None = None
    model_provider: str | None = None
    model_reasoning_effort: ReasoningEffort | None = None
    model_reasoning_summary: ReasoningSummary | None = None
    model_verbosity: Verbosity | None = None
    service_tier: ServiceTier | None = None
    tools: ToolsV2 | None = None
    web_search: WebSearchMode | None = None


@frozen(kw_only=True)
class SandboxWorkspaceWrite:
    """The table ``sandbox_workspace_write``."""

    SNAKE_CASE: ClassVar[bool] = True
    exclude_slash_tmp: bool = False
    exclude_tmpdir_env_var: bool = False
    network_access: bool = False
    writable_roots: tuple[str, ...] = ()


@frozen(kw_only=True)
class Config:
    """The effective configuration; keys without a field of their own are kept as they are."""

    SNAKE_CASE: ClassVar[bool] = True
    analytics: AnalyticsConfig | None = None
    approval_policy: ApprovalPolicy | None = None
    approvals_reviewer: ApprovalsReviewer | None = None
    apps: AppsConfig | None = field(default=None, metadata={"experimental": True})
    compact_prompt: str | None = None
    developer_instructions: str | None = None
    forced_chatgpt_workspace_id: str | None = None
    forced_login_method: ForcedLoginMethod | None = None
    instructions: str | None = None
    model: str | None = None
    model_auto_compact_token_limit: int | None = None
    model_context_window: int | None = None
    model_provider: str | None = None
    model_reasoning_effort: ReasoningEffort | None = None
    model_reasoning_summary: ReasoningSummary | None = None
    model_verbosity: Verbosity | None = None
    profile: str | None = None
    profiles: dict[str, ProfileV2] = field(factory=dict)
    review_model: str | None = None
    sandbox_mode: SandboxMode | None = None
    sandbox_workspace_write: SandboxWorkspaceWrite | None = None
    service_tier: ServiceTier | None = None
    tools: ToolsV2 | None = None
    web_search: WebSearchMode | None = None
