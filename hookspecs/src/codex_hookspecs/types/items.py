"""Items of a turn, as shown by clients and listed in stored threads (app-server protocol v2, 0.118).

Field names are the wire names in snake case; ``TYPE`` is the wire tag. ``codex_hookspecs.wire`` converts.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal, TypeAlias

from attrs import field

from codex_hookspecs.types.json import (
    CollabAgentStateObject,
    CollabAgentToolValue,
    CommandActionObject,
    McpToolCallErrorObject,
    McpToolCallResultObject,
    MemoryCitationObject,
    MessagePhaseValue,
    PatchChangeKindObject,
    Signed32,
    ToolOutputObject,
    UserContentObject,
    WebSearchActionObject,
)
from codex_hookspecs.values import frozen

CommandExecutionStatus = Literal["inProgress", "completed", "failed", "declined"]
PatchApplyStatus = Literal["inProgress", "completed", "failed", "declined"]
McpToolCallStatus = Literal["inProgress", "completed", "failed"]
DynamicToolCallStatus = Literal["inProgress", "completed", "failed"]
CollabAgentToolCallStatus = Literal["inProgress", "completed", "failed"]
CommandExecutionSource = Literal["agent", "userShell", "unifiedExecStartup", "unifiedExecInteraction"]
MessagePhase = Literal["commentary", "final_answer"]


@frozen(kw_only=True)
class UserMessage:
    """A message of the user: a list of inputs in wire form (``{"type":"text","text":…,"text_elements":[]}`` …)."""

    TYPE: ClassVar[str] = "userMessage"
    id: str
    content: tuple[UserContentObject, ...]


@frozen
class HookPromptFragment:
    """One continuation prompt of a Stop hook, with the id of its run."""

    text: str
    hook_run_id: str


@frozen(kw_only=True)
class HookPrompt:
    """The continuation prompts of stop hooks that continued the turn, one fragment per hook."""

    TYPE: ClassVar[str] = "hookPrompt"
    id: str
    fragments: tuple[HookPromptFragment, ...]


@frozen(kw_only=True)
class AgentMessage:
    """A text message of the model."""

    TYPE: ClassVar[str] = "agentMessage"
    id: str
    text: str
    phase: MessagePhaseValue | None = None
    memory_citation: MemoryCitationObject | None = None


@frozen(kw_only=True)
class Plan:
    """A plan proposed in plan mode."""

    TYPE: ClassVar[str] = "plan"
    id: str
    text: str


@frozen(kw_only=True)
class Reasoning:
    """Summary and raw parts of the model's reasoning."""

    TYPE: ClassVar[str] = "reasoning"
    id: str
    summary: tuple[str, ...] = ()
    content: tuple[str, ...] = ()


@frozen(kw_only=True)
class CommandExecution:
    """A command, from its start to its exit.

    :param command: shell-quoted command line.
    :param command_actions: what the command does, for display: objects tagged read, listFiles, search or unknown.
    """

    TYPE: ClassVar[str] = "commandExecution"
    id: str
    command: str
    cwd: str
    process_id: str | None = None
    source: CommandExecutionSource = "agent"
    status: CommandExecutionStatus
    command_actions: tuple[CommandActionObject, ...] = field(default=(), metadata={"required": True})
    aggregated_output: str | None = None
    exit_code: Signed32 | None = None
    duration_ms: int | None = None


@frozen
class FileUpdateChange:
    """One file of a patch.

    :param path: absolute path.
    :param kind: ``{"type":"add"}``, ``{"type":"delete"}`` or ``{"type":"update","move_path":null|path}``.
    :param diff: whole content for add and delete, unified hunks for update.
    """

    path: str
    kind: PatchChangeKindObject
    diff: str = field(kw_only=True)


@frozen(kw_only=True)
class FileChange:
    """A patch, from its start to its result."""

    TYPE: ClassVar[str] = "fileChange"
    id: str
    changes: tuple[FileUpdateChange, ...]
    status: PatchApplyStatus


@frozen(kw_only=True)
class McpToolCall:
    """A call of a tool of an MCP server."""

    TYPE: ClassVar[str] = "mcpToolCall"
    id: str
    server: str
    tool: str
    status: McpToolCallStatus
    arguments: Any = field(default=None, metadata={"required": True})
    result: McpToolCallResultObject | None = None
    error: McpToolCallErrorObject | None = None
    duration_ms: int | None = None


@frozen(kw_only=True)
class DynamicToolCall:
    """A call of any other tool: of the client's, or of a plugin's."""

    TYPE: ClassVar[str] = "dynamicToolCall"
    id: str
    tool: str
    arguments: Any = field(default=None, metadata={"required": True})
    status: DynamicToolCallStatus
    content_items: tuple[ToolOutputObject, ...] | None = None
    success: bool | None = None
    duration_ms: int | None = None


@frozen(kw_only=True)
class CollabAgentToolCall:
    """A call between agents."""

    TYPE: ClassVar[str] = "collabAgentToolCall"
    id: str
    tool: CollabAgentToolValue
    status: CollabAgentToolCallStatus
    sender_thread_id: str
    receiver_thread_ids: tuple[str, ...] = field(default=(), metadata={"required": True})
    prompt: str | None = None
    model: str | None = None
    reasoning_effort: str | None = None
    agents_states: dict[str, CollabAgentStateObject] = field(factory=dict, metadata={"required": True})


@frozen(kw_only=True)
class WebSearch:
    """A search that the model's provider ran."""

    TYPE: ClassVar[str] = "webSearch"
    id: str
    query: str
    action: WebSearchActionObject | None = None


@frozen(kw_only=True)
class ImageView:
    """An image that the model looked at."""

    TYPE: ClassVar[str] = "imageView"
    id: str
    path: str


@frozen(kw_only=True)
class ImageGeneration:
    """An image that the model's provider generated."""

    TYPE: ClassVar[str] = "imageGeneration"
    id: str
    status: str
    result: str
    revised_prompt: str | None = None
    saved_path: str | None = None


@frozen(kw_only=True)
class EnteredReviewMode:
    """A review started."""

    TYPE: ClassVar[str] = "enteredReviewMode"
    id: str
    review: str


@frozen(kw_only=True)
class ExitedReviewMode:
    """A review ended."""

    TYPE: ClassVar[str] = "exitedReviewMode"
    id: str
    review: str


@frozen(kw_only=True)
class ContextCompaction:
    """The history was compacted."""

    TYPE: ClassVar[str] = "contextCompaction"
    id: str


Item: TypeAlias = (
    UserMessage
    | HookPrompt
    | AgentMessage
    | Plan
    | Reasoning
    | CommandExecution
    | FileChange
    | McpToolCall
    | DynamicToolCall
    | CollabAgentToolCall
    | WebSearch
    | ImageView
    | ImageGeneration
    | EnteredReviewMode
    | ExitedReviewMode
    | ContextCompaction
)
