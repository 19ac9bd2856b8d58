"""The older API that clients still use (app-server protocol v2, 0.118)."""

from __future__ import annotations

from typing import ClassVar, Literal, TypeAlias

from codex_hookspecs.types.app_server.accounts import AuthMode
from codex_hookspecs.types.app_server.network_policy import NetworkPolicyAmendment
from codex_hookspecs.types.json import SessionSourceValue
from codex_hookspecs.values import frozen


@frozen
class AddLegacyFileChange:
    """The file is added."""

    TYPE: ClassVar[str] = "add"
    content: str


@frozen
class DeleteLegacyFileChange:
    """The file is deleted."""

    TYPE: ClassVar[str] = "delete"
    content: str


@frozen(kw_only=True)
class UpdateLegacyFileChange:
    """The file is changed."""

    TYPE: ClassVar[str] = "update"
    SNAKE_CASE: ClassVar[bool] = True
    unified_diff: str
    move_path: str | None = None


LegacyFileChange: TypeAlias = AddLegacyFileChange | DeleteLegacyFileChange | UpdateLegacyFileChange


@frozen(kw_only=True)
class ApplyPatchApprovalParams:
    """Parameters of ``applyPatchApproval``."""

    call_id: str
    conversation_id: str
    file_changes: dict[str, LegacyFileChange]
    grant_root: str | None = None
    reason: str | None = None


@frozen(kw_only=True)
class ReadParsedCommand:
    """Reads a file."""

    TYPE: ClassVar[str] = "read"
    cmd: str
    name: str
    path: str


@frozen(kw_only=True)
class ListFilesParsedCommand:
    """Lists files."""

    TYPE: ClassVar[str] = "list_files"
    cmd: str
    path: str | None = None


@frozen(kw_only=True)
class SearchParsedCommand:
    """Searches."""

    TYPE: ClassVar[str] = "search"
    cmd: str
    path: str | None = None
    query: str | None = None


@frozen
class UnknownParsedCommand:
    """Something else."""

    TYPE: ClassVar[str] = "unknown"
    cmd: str


ParsedCommand: TypeAlias = ReadParsedCommand | ListFilesParsedCommand | SearchParsedCommand | UnknownParsedCommand
"""What a command does, in the older API."""


@frozen(kw_only=True)
class ExecCommandApprovalParams:
    """Parameters of ``execCommandApproval``."""

    call_id: str
    command: tuple[str, ...]
    conversation_id: str
    cwd: str
    parsed_cmd: tuple[ParsedCommand, ...]
    approval_id: str | None = None
    reason: str | None = None


@frozen
class ProposedExecpolicyAmendment:
    """The command prefix that is allowed from now on."""

    SNAKE_CASE: ClassVar[bool] = True
    proposed_execpolicy_amendment: tuple[str, ...]


@frozen
class ApprovedExecpolicyAmendmentReviewDecision:
    """Run it, and allow commands with this prefix from now on."""

    SNAKE_CASE: ClassVar[bool] = True
    approved_execpolicy_amendment: ProposedExecpolicyAmendment


@frozen
class ReviewedNetworkAmendment:
    """The rule that is added."""

    SNAKE_CASE: ClassVar[bool] = True
    network_policy_amendment: NetworkPolicyAmendment


@frozen
class NetworkPolicyAmendmentReviewDecision:
    """Add a rule for a host."""

    SNAKE_CASE: ClassVar[bool] = True
    network_policy_amendment: ReviewedNetworkAmendment


ReviewDecision: TypeAlias = (
    Literal["approved", "approved_for_session", "denied", "abort"]
    | ApprovedExecpolicyAmendmentReviewDecision
    | NetworkPolicyAmendmentReviewDecision
)
"""The answer to a request for approval, in the older API."""


@frozen
class ApplyPatchApprovalResponse:
    """Result of ``applyPatchApproval``."""

    decision: ReviewDecision


@frozen
class ExecCommandApprovalResponse:
    """Result of ``execCommandApproval``."""

    decision: ReviewDecision


@frozen(kw_only=True)
class GetAuthStatusParams:
    """Parameters of ``getAuthStatus``.

    :param refresh_token: whether tokens are refreshed first.
    """

    include_token: bool | None = None
    refresh_token: bool | None = None


@frozen(kw_only=True)
class GetAuthStatusResponse:
    """Result of ``getAuthStatus``."""

    auth_method: AuthMode | None = None
    auth_token: str | None = None
    requires_openai_auth: bool | None = None


@frozen(kw_only=True)
class GetConversationSummaryParams:
    """Parameters of ``getConversationSummary``: one of both says which thread."""

    rollout_path: str | None = None
    conversation_id: str | None = None


@frozen(kw_only=True)
class ConversationGitInfo:
    """State of the git work tree when the thread started, in the older API."""

    SNAKE_CASE: ClassVar[bool] = True
    sha: str | None = None
    branch: str | None = None
    origin_url: str | None = None


@frozen(kw_only=True)
class ConversationSummary:
    """A stored thread, in the older API.

    :param timestamp: start of the thread (RFC 3339).
    :param updated_at: last change (RFC 3339).
    """

    conversation_id: str
    path: str
    preview: str
    model_provider: str
    cwd: str
    cli_version: str
    source: SessionSourceValue
    timestamp: str | None = None
    updated_at: str | None = None
    git_info: ConversationGitInfo | None = None


@frozen
class GetConversationSummaryResponse:
    """Result of ``getConversationSummary``."""

    summary: ConversationSummary


@frozen
class GitDiffToRemoteParams:
    """Parameters of ``gitDiffToRemote``."""

    cwd: str


@frozen(kw_only=True)
class GitDiffToRemoteResponse:
    """Result of ``gitDiffToRemote``: what differs from the newest commit that the remote has.

    :param sha: the commit.
    :param diff: unified diff, with files that git does not track.
    """

    sha: str
    diff: str
