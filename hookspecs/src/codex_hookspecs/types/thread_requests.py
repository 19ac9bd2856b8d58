"""Parameters of further requests that front ends inside the program send (app-server protocol v2, 0.118)."""

from __future__ import annotations

from typing import Literal

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
class ThreadResumeParams:
    """Parameters of ``thread/resume``; ``None`` keeps what the thread had."""

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
