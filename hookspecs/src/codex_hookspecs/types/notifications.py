"""Notifications to clients (app-server protocol v2).

Each class is one notification: ``METHOD`` is its name on the wire, its fields are the parameters.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from attrs import field

from codex_hookspecs.types._checking import Checked
from codex_hookspecs.types.items import Item
from codex_hookspecs.types.json import JsonObject, RateLimitsObject, RequestId, TextRangeObject, ThreadStatusObject
from codex_hookspecs.types.threads import Thread, ThreadTokenUsage, Turn, TurnError
from codex_hookspecs.values import frozen

HookRunStatus = Literal["running", "completed", "failed", "blocked", "stopped"]
HookOutputEntryKind = Literal["warning", "stop", "feedback", "context", "error"]
HookHandlerType = Literal["command", "mcpTool", "prompt", "agent"]
HookExecutionMode = Literal["sync", "async"]
HookScope = Literal["thread", "turn"]
TurnPlanStepStatus = Literal["pending", "inProgress", "completed"]


class Notification:
    """Base of all notifications; has no fields of its own."""

    __slots__ = ()
    METHOD: ClassVar[str] = ""


@frozen(kw_only=True)
class ThreadStarted(Notification):
    """A thread was started or loaded."""

    METHOD: ClassVar[str] = "thread/started"
    thread: Thread


@frozen(kw_only=True)
class ThreadStatusChanged(Notification):
    """The status of a thread changed: active, idle, system error or not loaded."""

    METHOD: ClassVar[str] = "thread/status/changed"
    thread_id: str
    status: ThreadStatusObject


@frozen(kw_only=True)
class ThreadNameUpdated(Notification):
    """The name of a thread was set."""

    METHOD: ClassVar[str] = "thread/name/updated"
    thread_id: str
    thread_name: str | None = None


@frozen(kw_only=True)
class ThreadClosed(Notification):
    """A thread was unloaded."""

    METHOD: ClassVar[str] = "thread/closed"
    thread_id: str


@frozen(kw_only=True)
class TokenUsageUpdated(Notification):
    """Token usage was updated after a model request."""

    METHOD: ClassVar[str] = "thread/tokenUsage/updated"
    thread_id: str
    turn_id: str
    token_usage: ThreadTokenUsage


@frozen(kw_only=True)
class RateLimitsUpdated(Notification):
    """The provider reported rate limits."""

    METHOD: ClassVar[str] = "account/rateLimits/updated"
    rate_limits: RateLimitsObject


@frozen(kw_only=True)
class TurnStarted(Notification):
    """A turn started."""

    METHOD: ClassVar[str] = "turn/started"
    thread_id: str
    turn: Turn


@frozen(kw_only=True)
class TurnCompleted(Notification):
    """A turn ended, with whatever status."""

    METHOD: ClassVar[str] = "turn/completed"
    thread_id: str
    turn: Turn


@frozen(kw_only=True)
class TurnDiffUpdated(Notification):
    """All file changes of the turn so far, as one unified git diff."""

    METHOD: ClassVar[str] = "turn/diff/updated"
    thread_id: str
    turn_id: str
    diff: str


@frozen
class PlanStep:
    """A step of the agent's plan."""

    step: str
    status: TurnPlanStepStatus


@frozen(kw_only=True)
class PlanUpdated(Notification):
    """The agent updated its plan."""

    METHOD: ClassVar[str] = "turn/plan/updated"
    thread_id: str
    turn_id: str
    explanation: str | None = None
    plan: tuple[PlanStep, ...]


@frozen(kw_only=True)
class ItemStarted(Notification):
    """An item started."""

    METHOD: ClassVar[str] = "item/started"
    item: Item
    thread_id: str
    turn_id: str
    started_at_ms: int


@frozen(kw_only=True)
class ItemCompleted(Notification):
    """An item was completed."""

    METHOD: ClassVar[str] = "item/completed"
    item: Item
    thread_id: str
    turn_id: str
    completed_at_ms: int


@frozen(kw_only=True)
class AgentMessageDelta(Notification):
    """More text of an agent message."""

    METHOD: ClassVar[str] = "item/agentMessage/delta"
    thread_id: str
    turn_id: str
    item_id: str
    delta: str


@frozen(kw_only=True)
class ReasoningSummaryPartAdded(Notification):
    """A new part of the reasoning summary starts."""

    METHOD: ClassVar[str] = "item/reasoning/summaryPartAdded"
    thread_id: str
    turn_id: str
    item_id: str
    summary_index: int


@frozen(kw_only=True)
class ReasoningSummaryTextDelta(Notification):
    """More of the reasoning summary."""

    METHOD: ClassVar[str] = "item/reasoning/summaryTextDelta"
    thread_id: str
    turn_id: str
    item_id: str
    delta: str
    summary_index: int


@frozen(kw_only=True)
class ReasoningTextDelta(Notification):
    """More of the raw reasoning."""

    METHOD: ClassVar[str] = "item/reasoning/textDelta"
    thread_id: str
    turn_id: str
    item_id: str
    delta: str
    content_index: int


@frozen(kw_only=True)
class CommandOutputDelta(Notification):
    """More output of a command."""

    METHOD: ClassVar[str] = "item/commandExecution/outputDelta"
    thread_id: str
    turn_id: str
    item_id: str
    delta: str


@frozen(kw_only=True)
class TerminalInteraction(Notification):
    """The agent wrote to a running command."""

    METHOD: ClassVar[str] = "item/commandExecution/terminalInteraction"
    thread_id: str
    turn_id: str
    item_id: str
    process_id: str
    stdin: str


@frozen(kw_only=True)
class FileChangeOutputDelta(Notification):
    """Output of the patch tool."""

    METHOD: ClassVar[str] = "item/fileChange/outputDelta"
    thread_id: str
    turn_id: str
    item_id: str
    delta: str


@frozen
class HookEntry(Checked):
    """One line of a hook run's output."""

    kind: HookOutputEntryKind
    text: str


@frozen(kw_only=True)
class HookRun(Checked):
    """One run of one hook handler.

    :param id: ``<kebab-event>:<display order>:<source file>``, for tool events with ``:<call id>``.
    :param event_name: camel case, e.g. ``preToolUse``.
    :param started_at: seconds since the epoch.
    :param source: layer it came from: ``system``, ``user``, ``project``, ``sessionFlags``, ``plugin`` …
    """

    id: str
    event_name: str
    handler_type: HookHandlerType = field(default="command", metadata={"required": True})
    execution_mode: HookExecutionMode = field(default="sync", metadata={"required": True})
    scope: HookScope = field(default="turn", metadata={"required": True})
    source_path: str
    source: str = "user"
    display_order: int
    status: HookRunStatus
    status_message: str | None = None
    started_at: int
    completed_at: int | None = None
    duration_ms: int | None = None
    entries: tuple[HookEntry, ...] = field(default=(), metadata={"required": True})


@frozen(kw_only=True)
class HookStarted(Notification):
    """A hook handler started."""

    METHOD: ClassVar[str] = "hook/started"
    thread_id: str
    turn_id: str | None
    run: HookRun


@frozen(kw_only=True)
class HookCompleted(Notification):
    """A hook handler completed."""

    METHOD: ClassVar[str] = "hook/completed"
    thread_id: str
    turn_id: str | None
    run: HookRun


@frozen(kw_only=True)
class ErrorNotice(Notification):
    """An error; with ``will_retry`` the request is retried."""

    METHOD: ClassVar[str] = "error"
    error: TurnError
    will_retry: bool
    thread_id: str
    turn_id: str


@frozen(kw_only=True)
class WarningNotice(Notification):
    """A warning for the user (0.169 ``warning``)."""

    METHOD: ClassVar[str] = "warning"
    message: str
    thread_id: str | None = None


@frozen(kw_only=True)
class ConfigWarning(Notification):
    """A warning about a configuration file."""

    METHOD: ClassVar[str] = "configWarning"
    summary: str
    details: str | None = None
    path: str | None = None
    range: TextRangeObject | None = None


@frozen(kw_only=True)
class DeprecationNotice(Notification):
    """A deprecated feature is used."""

    METHOD: ClassVar[str] = "deprecationNotice"
    summary: str
    details: str | None = None


@frozen(kw_only=True)
class ThreadCompacted(Notification):
    """The history of a thread was compacted."""

    METHOD: ClassVar[str] = "thread/compacted"
    thread_id: str
    turn_id: str


@frozen(kw_only=True)
class ServerRequestResolved(Notification):
    """A request to the client was answered or cancelled."""

    METHOD: ClassVar[str] = "serverRequest/resolved"
    thread_id: str
    request_id: RequestId


@frozen(kw_only=True)
class OtherNotification(Notification):
    """A notification defined by a plugin.

    :param method: name on the wire.
    :param params: wire form of the parameters.
    """

    method: str
    params: JsonObject = field(factory=dict)
