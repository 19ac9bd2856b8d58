"""Values of the app-server protocol: threads, turns, items, notifications, requests.

Members have the names and the meaning that the app-server protocol v2 gives them; on the wire they are in camel case.
"""

from __future__ import annotations

from codex_hookspecs._lazy import exported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codex_hookspecs.ids import is_uuid as is_uuid
    from codex_hookspecs.ids import uuid4 as uuid4
    from codex_hookspecs.ids import uuid7 as uuid7
    from codex_hookspecs.types.items import AgentMessage as AgentMessage
    from codex_hookspecs.types.items import CallStatus as CallStatus
    from codex_hookspecs.types.items import CollabAgentToolCall as CollabAgentToolCall
    from codex_hookspecs.types.items import CommandExecution as CommandExecution
    from codex_hookspecs.types.items import CommandSource as CommandSource
    from codex_hookspecs.types.items import CommandStatus as CommandStatus
    from codex_hookspecs.types.items import ContextCompaction as ContextCompaction
    from codex_hookspecs.types.items import DynamicToolCall as DynamicToolCall
    from codex_hookspecs.types.items import EnteredReviewMode as EnteredReviewMode
    from codex_hookspecs.types.items import ExitedReviewMode as ExitedReviewMode
    from codex_hookspecs.types.items import FileChange as FileChange
    from codex_hookspecs.types.items import FileUpdateChange as FileUpdateChange
    from codex_hookspecs.types.items import HookPrompt as HookPrompt
    from codex_hookspecs.types.items import HookPromptFragment as HookPromptFragment
    from codex_hookspecs.types.items import ImageGeneration as ImageGeneration
    from codex_hookspecs.types.items import ImageView as ImageView
    from codex_hookspecs.types.items import Item as Item
    from codex_hookspecs.types.items import McpToolCall as McpToolCall
    from codex_hookspecs.types.items import MessagePhase as MessagePhase
    from codex_hookspecs.types.items import PatchStatus as PatchStatus
    from codex_hookspecs.types.items import Plan as Plan
    from codex_hookspecs.types.items import Reasoning as Reasoning
    from codex_hookspecs.types.items import UserMessage as UserMessage
    from codex_hookspecs.types.items import WebSearch as WebSearch
    from codex_hookspecs.types.json import JsonObject as JsonObject
    from codex_hookspecs.types.json import JsonValue as JsonValue
    from codex_hookspecs.types.json import Unsigned as Unsigned
    from codex_hookspecs.types.notifications import AgentMessageDelta as AgentMessageDelta
    from codex_hookspecs.types.notifications import CommandOutputDelta as CommandOutputDelta
    from codex_hookspecs.types.notifications import ConfigWarning as ConfigWarning
    from codex_hookspecs.types.notifications import DeprecationNotice as DeprecationNotice
    from codex_hookspecs.types.notifications import ErrorNotice as ErrorNotice
    from codex_hookspecs.types.notifications import FileChangeOutputDelta as FileChangeOutputDelta
    from codex_hookspecs.types.notifications import HookCompleted as HookCompleted
    from codex_hookspecs.types.notifications import HookEntry as HookEntry
    from codex_hookspecs.types.notifications import HookEntryKind as HookEntryKind
    from codex_hookspecs.types.notifications import HookRun as HookRun
    from codex_hookspecs.types.notifications import HookStarted as HookStarted
    from codex_hookspecs.types.notifications import HookStatus as HookStatus
    from codex_hookspecs.types.notifications import ItemCompleted as ItemCompleted
    from codex_hookspecs.types.notifications import ItemStarted as ItemStarted
    from codex_hookspecs.types.notifications import Notification as Notification
    from codex_hookspecs.types.notifications import OtherNotification as OtherNotification
    from codex_hookspecs.types.notifications import PlanStep as PlanStep
    from codex_hookspecs.types.notifications import PlanUpdated as PlanUpdated
    from codex_hookspecs.types.notifications import RateLimitsUpdated as RateLimitsUpdated
    from codex_hookspecs.types.notifications import ReasoningSummaryPartAdded as ReasoningSummaryPartAdded
    from codex_hookspecs.types.notifications import ReasoningSummaryTextDelta as ReasoningSummaryTextDelta
    from codex_hookspecs.types.notifications import ReasoningTextDelta as ReasoningTextDelta
    from codex_hookspecs.types.notifications import ServerRequestResolved as ServerRequestResolved
    from codex_hookspecs.types.notifications import TerminalInteraction as TerminalInteraction
    from codex_hookspecs.types.notifications import ThreadClosed as ThreadClosed
    from codex_hookspecs.types.notifications import ThreadCompacted as ThreadCompacted
    from codex_hookspecs.types.notifications import ThreadNameUpdated as ThreadNameUpdated
    from codex_hookspecs.types.notifications import ThreadStarted as ThreadStarted
    from codex_hookspecs.types.notifications import ThreadStatusChanged as ThreadStatusChanged
    from codex_hookspecs.types.notifications import TokenUsageUpdated as TokenUsageUpdated
    from codex_hookspecs.types.notifications import TurnCompleted as TurnCompleted
    from codex_hookspecs.types.notifications import TurnDiffUpdated as TurnDiffUpdated
    from codex_hookspecs.types.notifications import TurnStarted as TurnStarted
    from codex_hookspecs.types.notifications import WarningNotice as WarningNotice
    from codex_hookspecs.types.requests import SourceKind as SourceKind
    from codex_hookspecs.types.requests import ThreadListParams as ThreadListParams
    from codex_hookspecs.types.requests import ThreadResumeParams as ThreadResumeParams
    from codex_hookspecs.types.requests import ThreadStartParams as ThreadStartParams
    from codex_hookspecs.types.requests import TurnInterruptParams as TurnInterruptParams
    from codex_hookspecs.types.requests import TurnStartParams as TurnStartParams
    from codex_hookspecs.types.responses import ThreadListResponse as ThreadListResponse
    from codex_hookspecs.types.responses import ThreadStartResponse as ThreadStartResponse
    from codex_hookspecs.types.responses import TurnStartResponse as TurnStartResponse
    from codex_hookspecs.types.threads import ApprovalPolicy as ApprovalPolicy
    from codex_hookspecs.types.threads import GitInfo as GitInfo
    from codex_hookspecs.types.threads import Thread as Thread
    from codex_hookspecs.types.threads import ThreadSettings as ThreadSettings
    from codex_hookspecs.types.threads import ThreadTokenUsage as ThreadTokenUsage
    from codex_hookspecs.types.threads import TokenUsage as TokenUsage
    from codex_hookspecs.types.threads import Turn as Turn
    from codex_hookspecs.types.threads import TurnError as TurnError
    from codex_hookspecs.types.threads import TurnStatus as TurnStatus

__all__, __getattr__, __dir__ = exported(
    __name__,
    {
        "types.items": (
            "AgentMessage CallStatus CollabAgentToolCall CommandExecution CommandSource CommandStatus "
            "ContextCompaction DynamicToolCall EnteredReviewMode ExitedReviewMode FileChange FileUpdateChange "
            "HookPrompt HookPromptFragment ImageGeneration ImageView Item McpToolCall MessagePhase PatchStatus "
            "Plan Reasoning UserMessage WebSearch"
        ),
        "types.json": "JsonObject JsonValue Unsigned",
        "types.notifications": (
            "AgentMessageDelta CommandOutputDelta ConfigWarning DeprecationNotice ErrorNotice "
            "FileChangeOutputDelta HookCompleted HookEntry HookEntryKind HookRun HookStarted HookStatus "
            "ItemCompleted ItemStarted Notification OtherNotification PlanStep PlanUpdated RateLimitsUpdated "
            "ReasoningSummaryPartAdded ReasoningSummaryTextDelta ReasoningTextDelta ServerRequestResolved "
            "TerminalInteraction ThreadClosed ThreadCompacted ThreadNameUpdated ThreadStarted ThreadStatusChanged "
            "TokenUsageUpdated TurnCompleted TurnDiffUpdated TurnStarted WarningNotice"
        ),
        "types.responses": "ThreadListResponse ThreadStartResponse TurnStartResponse",
        "types.requests": (
            "SourceKind ThreadListParams ThreadResumeParams ThreadStartParams TurnInterruptParams TurnStartParams"
        ),
        "types.threads": (
            "ApprovalPolicy GitInfo Thread ThreadSettings ThreadTokenUsage TokenUsage Turn TurnError TurnStatus"
        ),
        "ids": "is_uuid uuid4 uuid7",
    },
)
