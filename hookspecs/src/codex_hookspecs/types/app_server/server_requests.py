"""Requests of the server to clients (app-server protocol v2, 0.118)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, TypeAlias

from codex_hookspecs.types.app_server.item_parts import DynamicToolCallOutputContentItem
from codex_hookspecs.types.app_server.network_policy import NetworkApprovalContext, NetworkPolicyAmendment
from codex_hookspecs.types.app_server.permissions import AdditionalPermissionProfile
from codex_hookspecs.types.json import CommandActionObject, CommandDecisionValue
from codex_hookspecs.values import frozen


@frozen(kw_only=True)
class DynamicToolSpec:
    """A tool that a client offers to the model."""

    description: str
    input_schema: Any
    name: str
    defer_loading: bool = False


@frozen
class ExecpolicyAmendment:
    """The command prefix that is allowed from now on."""

    SNAKE_CASE: ClassVar[bool] = True
    execpolicy_amendment: tuple[str, ...]


@frozen
class AcceptWithExecpolicyAmendmentCommandExecutionApprovalDecision:
    """Run it, and allow commands with this prefix from now on."""

    accept_with_execpolicy_amendment: ExecpolicyAmendment


@frozen
class NetworkAmendment:
    """The rule that is added."""

    SNAKE_CASE: ClassVar[bool] = True
    network_policy_amendment: NetworkPolicyAmendment


@frozen
class ApplyNetworkPolicyAmendmentCommandExecutionApprovalDecision:
    """Add a rule for a host."""

    apply_network_policy_amendment: NetworkAmendment


CommandExecutionApprovalDecision: TypeAlias = (
    Literal["accept", "acceptForSession", "decline", "cancel"]
    | AcceptWithExecpolicyAmendmentCommandExecutionApprovalDecision
    | ApplyNetworkPolicyAmendmentCommandExecutionApprovalDecision
)
"""The answer to a request to run a command."""


@frozen(kw_only=True)
class CommandExecutionRequestApprovalParams:
    """Parameters of ``item/commandExecution/requestApproval``.

    :param available_decisions: decisions that a client may offer; ``None`` for all.
    :param command_actions: what the command does, for display.
    :param started_at_ms: milliseconds since the epoch.
    """

    item_id: str
    thread_id: str
    turn_id: str
    additional_permissions: AdditionalPermissionProfile | None = None
    approval_id: str | None = None
    available_decisions: tuple[CommandDecisionValue, ...] | None = None
    command: str | None = None
    command_actions: tuple[CommandActionObject, ...] | None = None
    cwd: str | None = None
    network_approval_context: NetworkApprovalContext | None = None
    proposed_execpolicy_amendment: tuple[str, ...] | None = None
    proposed_network_policy_amendments: tuple[NetworkPolicyAmendment, ...] | None = None
    reason: str | None = None
    started_at_ms: int | None = None


@frozen(kw_only=True)
class DynamicToolCallParams:
    """Parameters of ``item/tool/call``."""

    arguments: Any
    call_id: str
    thread_id: str
    tool: str
    turn_id: str


@frozen(kw_only=True)
class FileChangeRequestApprovalParams:
    """Parameters of ``item/fileChange/requestApproval``.

    :param started_at_ms: milliseconds since the epoch.
    """

    item_id: str
    thread_id: str
    turn_id: str
    grant_root: str | None = None
    reason: str | None = None
    started_at_ms: int | None = None


@frozen(kw_only=True)
class ToolRequestUserInputOption:
    """An answer that the user may choose."""

    description: str
    label: str


@frozen(kw_only=True)
class ToolRequestUserInputQuestion:
    """A question to the user."""

    header: str
    id: str
    question: str
    is_other: bool = False
    is_secret: bool = False
    options: tuple[ToolRequestUserInputOption, ...] | None = None


@frozen(kw_only=True)
class ToolRequestUserInputParams:
    """Parameters of ``item/tool/requestUserInput``.

    :param is_blocking: whether the turn waits for the answer.
    """

    item_id: str
    questions: tuple[ToolRequestUserInputQuestion, ...]
    thread_id: str
    turn_id: str
    is_blocking: bool = False


@frozen
class CommandExecutionRequestApprovalResponse:
    """Result of ``item/commandExecution/requestApproval``."""

    decision: CommandExecutionApprovalDecision


FileChangeApprovalDecision = Literal["accept", "acceptForSession", "decline", "cancel"]
"""The answer to a request to change files."""


@frozen
class FileChangeRequestApprovalResponse:
    """Result of ``item/fileChange/requestApproval``."""

    decision: FileChangeApprovalDecision


@frozen
class ToolRequestUserInputAnswer:
    """The user's answers to a question."""

    answers: tuple[str, ...]


@frozen
class ToolRequestUserInputResponse:
    """Result of ``item/tool/requestUserInput``."""

    answers: dict[str, ToolRequestUserInputAnswer]


@frozen(kw_only=True)
class DynamicToolCallResponse:
    """Result of ``item/tool/call``."""

    content_items: tuple[DynamicToolCallOutputContentItem, ...]
    success: bool
