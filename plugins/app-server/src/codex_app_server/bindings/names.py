"""Names of types in the bindings, and their files, where they are not those of the Python classes."""

from __future__ import annotations

from typing import Final

_NAMES: Final = {
    "Item": "ThreadItem",
    "ApprovalPolicy": "AskForApproval",
    "HookEntry": "HookOutputEntry",
    "HookRun": "HookRunSummary",
    "PlanStep": "TurnPlanStep",
    "TokenUsage": "TokenUsageBreakdown",
    "LegacyFileChange": "FileChange",
    "ErrorNotice": "ErrorNotification",
    "ThreadStarted": "ThreadStartedNotification",
    "ThreadStatusChanged": "ThreadStatusChangedNotification",
    "ThreadClosed": "ThreadClosedNotification",
    "ThreadNameUpdated": "ThreadNameUpdatedNotification",
    "ThreadReverted": "ThreadRevertedNotification",
    "TokenUsageUpdated": "ThreadTokenUsageUpdatedNotification",
    "TurnStarted": "TurnStartedNotification",
    "TurnCompleted": "TurnCompletedNotification",
    "TurnDiffUpdated": "TurnDiffUpdatedNotification",
    "PlanUpdated": "TurnPlanUpdatedNotification",
    "HookStarted": "HookStartedNotification",
    "HookCompleted": "HookCompletedNotification",
    "ItemStarted": "ItemStartedNotification",
    "ItemCompleted": "ItemCompletedNotification",
    "AgentMessageDelta": "AgentMessageDeltaNotification",
    "CommandOutputDelta": "CommandExecutionOutputDeltaNotification",
    "TerminalInteraction": "TerminalInteractionNotification",
    "FileChangeOutputDelta": "FileChangeOutputDeltaNotification",
    "ServerRequestResolved": "ServerRequestResolvedNotification",
    "RateLimitsUpdated": "AccountRateLimitsUpdatedNotification",
    "ReasoningSummaryTextDelta": "ReasoningSummaryTextDeltaNotification",
    "ReasoningSummaryPartAdded": "ReasoningSummaryPartAddedNotification",
    "ReasoningTextDelta": "ReasoningTextDeltaNotification",
    "ThreadCompacted": "ContextCompactedNotification",
    "WarningNotice": "WarningNotification",
    "DeprecationNotice": "DeprecationNoticeNotification",
    "ConfigWarning": "ConfigWarningNotification",
}
"""Names in the protocol of contracts that have a shorter name in Python."""

_TOP_OF_TYPESCRIPT: Final = frozenset(
    """
    AbsolutePathBuf AgentPath ApplyPatchApprovalParams ApplyPatchApprovalResponse AuthMode ClientInfo
    ClientNotification ClientRequest CollaborationMode ContentItem ConversationGitInfo ConversationSummary
    ExecCommandApprovalParams ExecCommandApprovalResponse FileChange ForcedLoginMethod FunctionCallOutputBody
    FunctionCallOutputContentItem FuzzyFileSearchMatchType FuzzyFileSearchParams FuzzyFileSearchResponse
    FuzzyFileSearchResult FuzzyFileSearchSessionCompletedNotification FuzzyFileSearchSessionStartParams
    FuzzyFileSearchSessionStartResponse FuzzyFileSearchSessionStopParams FuzzyFileSearchSessionStopResponse
    FuzzyFileSearchSessionUpdateParams FuzzyFileSearchSessionUpdateResponse
    FuzzyFileSearchSessionUpdatedNotification GetAuthStatusParams GetAuthStatusResponse
    GetConversationSummaryParams GetConversationSummaryResponse GhostCommit GitDiffToRemoteParams
    GitDiffToRemoteResponse ImageDetail InitializeCapabilities InitializeParams InitializeResponse InputModality
    LocalShellAction LocalShellStatus MessagePhase ModeKind NetworkPolicyAmendment NetworkPolicyRuleAction
    ParsedCommand Personality PlanType RealtimeConversationVersion ReasoningEffort ReasoningItemContent
    ReasoningItemReasoningSummary ReasoningSummary RequestId Resource ResourceTemplate ResponseItem ReviewDecision
    ServerNotification ServerRequest ServiceTier SessionSource Settings SubAgentSource Tool Verbosity
    WebSearchContextSize WebSearchLocation WebSearchMode WebSearchToolConfig
    ClientRequestTypes ServerNotificationTypes ServerRequestTypes
    """.split()  # noqa: SIM905
)
"""Types whose TypeScript file is not in the folder ``v2``."""

_FIRST_VERSION: Final = frozenset({"InitializeParams", "InitializeResponse"})
_TOP_OF_SCHEMAS: Final = frozenset(
    """
    ApplyPatchApproval ChatgptAuthTokensRefresh CommandExecutionRequestApproval DynamicToolCall
    ExecCommandApproval FileChangeRequestApproval FuzzyFileSearch FuzzyFileSearchSessionStart
    FuzzyFileSearchSessionStop FuzzyFileSearchSessionUpdate GetAuthStatus GetConversationSummary GitDiffToRemote
    McpServerElicitationRequest PermissionsRequestApproval ToolRequestUserInput
    """.split()  # noqa: SIM905
)
"""Parameters and results, without the end of their names, whose schema is not in the folder ``v2``."""


def protocol_name(name: str) -> str:
    """Return the name of a class or an alias in the protocol."""
    return _NAMES.get(name, name)


def typescript_folder(name: str) -> str:
    """Return the folder of a type's TypeScript file, empty for the top one."""
    return "" if name in _TOP_OF_TYPESCRIPT else "v2"


def schema_folder(name: str) -> str:
    """Return the folder of a type's schema file, empty for the top one."""
    if name in _FIRST_VERSION:
        return "v1"
    base = name.removesuffix("Params").removesuffix("Response")
    if base in _TOP_OF_SCHEMAS or name.startswith("FuzzyFileSearchSession"):
        return ""
    return "v2"
