"""Parameters and results of the requests that start threads and turns (app-server protocol v2, 0.118).

They are together because every turn needs them; those of other methods are in :mod:`codex_hookspecs.types.app_server`.
"""

from __future__ import annotations

from typing import Any, Literal

from attrs import field

from codex_hookspecs.types.json import (
    Cleared,
    CollaborationModeObject,
    DynamicToolObject,
    JsonObject,
    ResponseItemObject,
    SandboxPolicyObject,
    Unsigned,
    UserInputObject,
)
from codex_hookspecs.types.sandbox import SandboxMode
from codex_hookspecs.types.storage import UnreadableThread
from codex_hookspecs.types.threads import (
    ApprovalPolicy,
    ApprovalsReviewer,
    Personality,
    ReasoningEffort,
    ReasoningSummary,
    ServiceTier,
    Thread,
    Turn,
)
from codex_hookspecs.values import frozen

ThreadSourceKind = Literal[
    "cli",
    "vscode",
    "exec",
    "appServer",
    "subAgent",
    "subAgentReview",
    "subAgentCompact",
    "subAgentThreadSpawn",
    "subAgentOther",
    "unknown",
]
ThreadSortKey = Literal["created_at", "updated_at", "recency_at"]
SortDirection = Literal["asc", "desc"]


@frozen(kw_only=True)
class ThreadStartParams:
    """Parameters of ``thread/start``; ``None`` uses the configuration.

    :param config: configuration overrides, dotted keys or nested tables.
    :param sandbox: sandbox mode; the rest of the policy comes from the configuration.
    """

    model: str | None = None
    model_provider: str | None = None
    cwd: str | None = None
    approval_policy: ApprovalPolicy | None = None
    approvals_reviewer: ApprovalsReviewer | None = None
    sandbox: SandboxMode | None = None
    config: JsonObject | None = None
    base_instructions: str | None = None
    developer_instructions: str | None = None
    personality: Personality | None = None
    service_tier: ServiceTier | Cleared | None = field(default=None, metadata={"clearable": True})
    service_name: str | None = None
    ephemeral: bool | None = None
    dynamic_tools: list[DynamicToolObject] | None = field(default=None, metadata={"experimental": True})
    experimental_raw_events: bool = field(default=False, metadata={"experimental": True})
    persist_extended_history: bool = field(default=False, metadata={"experimental": True})
    mock_experimental_field: str | None = field(default=None, metadata={"experimental": True})


@frozen(kw_only=True)
class TurnStartParams:
    """Parameters of ``turn/start``; ``None`` keeps the thread's setting.

    :param input: user inputs in wire form, e.g. ``{"type":"text","text":…}``.
    :param output_schema: JSON schema of the final message of this turn.
    :param sandbox_policy: policy in wire form, e.g. ``{"type":"dangerFullAccess"}``.
    """

    thread_id: str
    input: list[UserInputObject]
    cwd: str | None = None
    approval_policy: ApprovalPolicy | None = None
    approvals_reviewer: ApprovalsReviewer | None = None
    sandbox_policy: SandboxPolicyObject | None = None
    model: str | None = None
    service_tier: ServiceTier | Cleared | None = field(default=None, metadata={"clearable": True})
    effort: ReasoningEffort | None = None
    summary: ReasoningSummary | None = None
    personality: Personality | None = None
    output_schema: Any = None
    collaboration_mode: CollaborationModeObject | None = field(default=None, metadata={"experimental": True})


@frozen(kw_only=True)
class ThreadResumeParams:
    """Parameters of ``thread/resume``; ``None`` keeps the thread's setting."""

    thread_id: str
    model: str | None = None
    model_provider: str | None = None
    cwd: str | None = None
    approval_policy: ApprovalPolicy | None = None
    approvals_reviewer: ApprovalsReviewer | None = None
    sandbox: SandboxMode | None = None
    config: JsonObject | None = None
    base_instructions: str | None = None
    developer_instructions: str | None = None
    personality: Personality | None = None
    service_tier: ServiceTier | Cleared | None = field(default=None, metadata={"clearable": True})
    history: list[ResponseItemObject] | None = field(default=None, metadata={"experimental": True})
    path: str | None = field(default=None, metadata={"experimental": True})
    persist_extended_history: bool = field(default=False, metadata={"experimental": True})


@frozen
class TurnInterruptParams:
    """Parameters of ``turn/interrupt``."""

    thread_id: str
    turn_id: str


@frozen(kw_only=True)
class ThreadListParams:
    """Parameters of ``thread/list``.

    :param sort_key: ``recency_at`` is of 0.169.
    :param sort_direction: newest first by default (0.169).
    :param cwd: directory of the threads, or several (0.169).
    """

    cursor: str | None = None
    limit: Unsigned | None = None
    sort_key: ThreadSortKey | None = None
    sort_direction: SortDirection | None = None
    model_providers: list[str] | None = None
    source_kinds: list[ThreadSourceKind] | None = None
    archived: bool | None = None
    cwd: str | list[str] | None = None
    search_term: str | None = None


@frozen(kw_only=True)
class ThreadStartResponse:
    """Result of ``thread/start``: the thread and its initial settings.

    :param approvals_reviewer: who answers requests for approval, ``user`` or a model.
    :param sandbox: policy in wire form, e.g. ``{"type":"dangerFullAccess"}``.
    """

    thread: Thread
    model: str
    model_provider: str
    service_tier: ServiceTier | None = None
    cwd: str
    approval_policy: ApprovalPolicy
    approvals_reviewer: ApprovalsReviewer
    sandbox: SandboxPolicyObject
    reasoning_effort: ReasoningEffort | None = None


@frozen(kw_only=True)
class ThreadResumeResponse(ThreadStartResponse):
    """Result of ``thread/resume``: the thread with its turns, and its settings."""


@frozen(kw_only=True)
class ThreadForkResponse(ThreadStartResponse):
    """Result of ``thread/fork``: the new thread with its turns, and its settings."""


@frozen
class TurnStartResponse:
    """Result of ``turn/start``: the started turn."""

    turn: Turn


@frozen
class TurnInterruptResponse:
    """Result of ``turn/interrupt``."""


@frozen(kw_only=True)
class ThreadListResponse:
    """Result of ``thread/list``.

    :param next_cursor: cursor of the next page; ``None`` on the last one.
    :param unreadable: threads that could not be read; only for in-process front ends.
    """

    data: tuple[Thread, ...]
    next_cursor: str | None = None
    unreadable: tuple[UnreadableThread, ...] = field(default=(), metadata={"local": True})
