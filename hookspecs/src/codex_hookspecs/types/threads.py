"""Threads and turns in the form for clients, and thread settings (app-server protocol v2, 0.118)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, TypeAlias

from attrs import field

from codex_hookspecs.types.items import Item
from codex_hookspecs.types.json import CodexErrorInfoValue, JsonObject, SessionSourceValue, ThreadStatusObject
from codex_hookspecs.types.sandbox import SandboxPolicy
from codex_hookspecs.values import frozen

TurnStatus = Literal["inProgress", "completed", "interrupted", "failed"]
ApprovalCategory = Literal["sandbox_approval", "rules", "skill_approval", "request_permissions", "mcp_elicitations"]


@frozen(kw_only=True)
class GranularApprovals:
    """What users are asked about; what is false is refused without asking.

    :param sandbox_approval: running a command without or with more than its sandbox, dangerous commands, and patches
        outside of what the sandbox allows.
    :param rules: what rules require approval for.
    :param mcp_elicitations: questions of MCP servers.
    :param skill_approval: running scripts of skills.
    :param request_permissions: granting more permissions for later commands.
    """

    SNAKE_CASE: ClassVar[bool] = True
    sandbox_approval: bool
    rules: bool
    skill_approval: bool = False
    request_permissions: bool = False
    mcp_elicitations: bool


@frozen
class GranularApprovalPolicy:
    """An approval policy like ``on-request``, with categories that are refused instead (0.118)."""

    EXPERIMENTAL: ClassVar[str] = "askForApproval.granular"
    granular: GranularApprovals


ApprovalPolicy: TypeAlias = (
    Literal["untrusted", "on-failure", "on-request"] | GranularApprovalPolicy | Literal["never"]  # noqa: PYI030
)
"""When users are asked for approval; in the order of error texts."""
ApprovalsReviewer = Literal["user", "guardian_subagent", "auto_review"]
"""Who answers requests for approval: the user, or a model. ``auto_review`` is the newer word for the model."""
ReasoningEffort: TypeAlias = str
"""How much a model thinks: ``none`` to ``xhigh``; models may know further words."""
Personality: TypeAlias = str
"""How the model talks: ``none``, ``friendly`` or ``pragmatic``; newer models may know others."""
ServiceTier: TypeAlias = str
"""Service tier of model requests: ``fast`` or ``flex``; providers may know others."""
Verbosity: TypeAlias = str
"""How long answers of the model are: ``low``, ``medium`` or ``high``."""
ReasoningSummary: TypeAlias = str
"""How reasoning is summarized: ``auto``, ``concise``, ``detailed`` or ``none``."""


@frozen
class GitInfo:
    """State of the git work tree when the thread started."""

    sha: str | None = None
    branch: str | None = None
    origin_url: str | None = field(default=None, kw_only=True)


@frozen
class TurnError:
    """Why a turn failed.

    :param message: text for users.
    :param codex_error_info: a word or one-key object of the protocol, e.g. ``contextWindowExceeded``.
    """

    message: str
    codex_error_info: CodexErrorInfoValue | None = None
    additional_details: str | None = field(default=None, kw_only=True)


@frozen(kw_only=True)
class Turn:
    """One turn; ``items`` is filled only in rebuilt history."""

    id: str
    items: tuple[Item, ...] = field(default=(), metadata={"required": True})
    status: TurnStatus
    error: TurnError | None = None
    started_at: int | None = None
    completed_at: int | None = None
    duration_ms: int | None = None


@frozen(kw_only=True)
class Thread:
    """One conversation.

    :param status: ``{"type":"notLoaded"|"idle"|"systemError"}`` or ``{"type":"active","activeFlags":[…]}``.
    :param source: ``cli``, ``vscode``, ``exec`` … or ``{"subAgent":…}``.
    :param created_at: seconds since the epoch.
    """

    id: str
    session_id: str
    preview: str = field(default="", metadata={"required": True})
    ephemeral: bool = field(default=False, metadata={"required": True})
    model_provider: str
    created_at: int
    updated_at: int
    status: ThreadStatusObject
    path: str | None = None
    cwd: str
    cli_version: str
    source: SessionSourceValue
    agent_nickname: str | None = None
    agent_role: str | None = None
    git_info: GitInfo | None = None
    name: str | None = None
    turns: tuple[Turn, ...] = field(default=(), metadata={"required": True})


@frozen(kw_only=True)
class ThreadSettings:
    """Settings of a thread; a turn may change them.

    :param cwd: absolute working directory.
    :param environment: name of the environment; ``None`` if the thread has always been local.
    :param developer_instructions: the client's text, sent verbatim as a part of a developer message.
    :param output_schema: JSON schema of the final message.
    :param dynamic_tools: tools that the client offers, in wire form; fixed when the thread starts.
    :param originator: client name for model requests.
    :param overrides: configuration overrides of the client, dotted keys or nested tables.
    """

    cwd: str
    model: str
    model_provider: str
    approval_policy: ApprovalPolicy = "on-request"
    approvals_reviewer: ApprovalsReviewer = "user"
    environment: str | None = None
    sandbox: SandboxPolicy
    reasoning_effort: ReasoningEffort | None = None
    reasoning_summary: ReasoningSummary | None = None
    verbosity: Verbosity | None = None
    personality: Personality | None = None
    service_tier: ServiceTier | None = None
    base_instructions: str | None = None
    developer_instructions: str | None = None
    collaboration_mode: JsonObject | None = None
    output_schema: Any = None
    dynamic_tools: tuple[JsonObject, ...] = ()
    ephemeral: bool = False
    source: str | JsonObject = "cli"
    originator: str = "codex_cli"
    client_version: str = ""
    context_window: int | None = None
    overrides: JsonObject = field(factory=dict)

    def may_ask(self, category: ApprovalCategory) -> bool:
        """Tell whether the approval policy lets users be asked about something of a category."""
        policy = self.approval_policy
        if isinstance(policy, GranularApprovalPolicy):
            allowed: bool = getattr(policy.granular, category)
            return allowed
        return policy != "never"


@frozen(kw_only=True)
class TokenUsage:
    """Token usage of one request, or of a thread so far."""

    total_tokens: int = field(default=0, metadata={"required": True})
    input_tokens: int = field(default=0, metadata={"required": True})
    cached_input_tokens: int = field(default=0, metadata={"required": True})
    cache_write_input_tokens: int = 0
    output_tokens: int = field(default=0, metadata={"required": True})
    reasoning_output_tokens: int = field(default=0, metadata={"required": True})

    def __add__(self, other: TokenUsage) -> TokenUsage:
        return TokenUsage(
            total_tokens=self.total_tokens + other.total_tokens,
            input_tokens=self.input_tokens + other.input_tokens,
            cached_input_tokens=self.cached_input_tokens + other.cached_input_tokens,
            cache_write_input_tokens=self.cache_write_input_tokens + other.cache_write_input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            reasoning_output_tokens=self.reasoning_output_tokens + other.reasoning_output_tokens,
        )


@frozen(kw_only=True)
class ThreadTokenUsage:
    """Token usage of a thread and of its last request."""

    total: TokenUsage
    last: TokenUsage
    model_context_window: int | None = None
