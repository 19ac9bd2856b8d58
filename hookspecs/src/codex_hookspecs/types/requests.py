"""Parameters of requests from in-process front ends (app-server protocol v2, 0.118)."""

from __future__ import annotations

from typing import Any, Literal

from attrs import field

from codex_hookspecs.types.json import JsonObject, Unsigned
from codex_hookspecs.types.sandbox import SandboxMode
from codex_hookspecs.types.threads import ApprovalPolicy
from codex_hookspecs.values import frozen

SourceKind = Literal[
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
    approvals_reviewer: str | None = None
    sandbox: SandboxMode | None = None
    config: JsonObject | None = None
    base_instructions: str | None = None
    developer_instructions: str | None = None
    personality: str | None = None
    service_tier: str | None = None
    service_name: str | None = None
    ephemeral: bool | None = None
    dynamic_tools: list[JsonObject] | None = field(default=None, metadata={"experimental": True})
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
    input: list[JsonObject]
    cwd: str | None = None
    approval_policy: ApprovalPolicy | None = None
    approvals_reviewer: str | None = None
    sandbox_policy: JsonObject | None = None
    model: str | None = None
    service_tier: str | None = None
    effort: str | None = None
    summary: str | None = None
    personality: str | None = None
    output_schema: Any = None
    collaboration_mode: JsonObject | None = field(default=None, metadata={"experimental": True})


@frozen(kw_only=True)
class ThreadResumeParams:
    """Parameters of ``thread/resume``; ``None`` keeps the thread's setting."""

    thread_id: str
    model: str | None = None
    model_provider: str | None = None
    cwd: str | None = None
    approval_policy: ApprovalPolicy | None = None
    approvals_reviewer: str | None = None
    sandbox: SandboxMode | None = None
    config: JsonObject | None = None
    base_instructions: str | None = None
    developer_instructions: str | None = None
    personality: str | None = None
    service_tier: str | None = None
    history: list[JsonObject] | None = field(default=None, metadata={"experimental": True})
    path: str | None = field(default=None, metadata={"experimental": True})
    persist_extended_history: bool = field(default=False, metadata={"experimental": True})


@frozen
class TurnInterruptParams:
    """Parameters of ``turn/interrupt``."""

    thread_id: str
    turn_id: str


@frozen(kw_only=True)
class ThreadListParams:
    """Parameters of ``thread/list``."""

    cursor: str | None = None
    limit: Unsigned | None = None
    sort_key: Literal["created_at", "updated_at"] | None = None
    model_providers: list[str] | None = None
    source_kinds: list[SourceKind] | None = None
    archived: bool | None = None
    cwd: str | None = None
    search_term: str | None = None
