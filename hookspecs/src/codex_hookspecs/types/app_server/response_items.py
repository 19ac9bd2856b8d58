"""Items of the model API, as clients inject and see them (app-server protocol v2, 0.118)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, TypeAlias

from codex_hookspecs.types.items import MessagePhase
from codex_hookspecs.types.json import ResponseItemObject, Unsigned64
from codex_hookspecs.types.notifications import Notification
from codex_hookspecs.values import frozen


@frozen
class InputTextContentItem:
    """Text to the model."""

    TYPE: ClassVar[str] = "input_text"
    text: str


@frozen
class InputImageContentItem:
    """An image to the model, by URL."""

    TYPE: ClassVar[str] = "input_image"
    SNAKE_CASE: ClassVar[bool] = True
    image_url: str


@frozen
class OutputTextContentItem:
    """Text of the model."""

    TYPE: ClassVar[str] = "output_text"
    text: str


ContentItem: TypeAlias = InputTextContentItem | InputImageContentItem | OutputTextContentItem
"""A part of a message of the model API."""


@frozen
class InputTextFunctionCallOutputContentItem:
    """Text."""

    TYPE: ClassVar[str] = "input_text"
    text: str


ImageDetail = Literal["auto", "low", "high", "original"]
"""How closely the model looks at an image."""


@frozen(kw_only=True)
class InputImageFunctionCallOutputContentItem:
    """An image, by URL."""

    TYPE: ClassVar[str] = "input_image"
    SNAKE_CASE: ClassVar[bool] = True
    image_url: str
    detail: ImageDetail | None = None


FunctionCallOutputContentItem: TypeAlias = (
    InputTextFunctionCallOutputContentItem | InputImageFunctionCallOutputContentItem
)
"""A part of the output of a tool."""

FunctionCallOutputBody: TypeAlias = str | tuple[FunctionCallOutputContentItem, ...]
"""The output of a tool: a text or content items."""


@frozen(kw_only=True)
class GhostCommit:
    """A commit that keeps the state of a work tree, outside its branches."""

    SNAKE_CASE: ClassVar[bool] = True
    id: str
    preexisting_untracked_dirs: tuple[str, ...]
    preexisting_untracked_files: tuple[str, ...]
    parent: str | None = None


@frozen(kw_only=True)
class ExecLocalShellAction:
    """Runs a program.

    :param timeout_ms: maximum run time in milliseconds.
    """

    TYPE: ClassVar[str] = "exec"
    SNAKE_CASE: ClassVar[bool] = True
    command: tuple[str, ...]
    env: dict[str, str] | None = None
    timeout_ms: Unsigned64 | None = None
    user: str | None = None
    working_directory: str | None = None


LocalShellAction: TypeAlias = ExecLocalShellAction
"""What a shell call of the model API runs."""

LocalShellStatus = Literal["completed", "in_progress", "incomplete"]
"""State of a shell call of the model API."""


@frozen
class ReasoningTextReasoningItemContent:
    """Reasoning."""

    TYPE: ClassVar[str] = "reasoning_text"
    text: str


@frozen
class TextReasoningItemContent:
    """Text."""

    TYPE: ClassVar[str] = "text"
    text: str


ReasoningItemContent: TypeAlias = ReasoningTextReasoningItemContent | TextReasoningItemContent
"""A raw part of the model's reasoning."""


@frozen
class SummaryTextReasoningItemReasoningSummary:
    """Text of a summary."""

    TYPE: ClassVar[str] = "summary_text"
    text: str


ReasoningItemReasoningSummary: TypeAlias = SummaryTextReasoningItemReasoningSummary
"""A part of the summary of the model's reasoning."""


@frozen(kw_only=True)
class MessageResponseItem:
    """A message."""

    TYPE: ClassVar[str] = "message"
    SNAKE_CASE: ClassVar[bool] = True
    content: tuple[ContentItem, ...]
    role: str
    end_turn: bool | None = None
    id: str | None = None
    phase: MessagePhase | None = None


@frozen(kw_only=True)
class ReasoningResponseItem:
    """Reasoning of the model."""

    TYPE: ClassVar[str] = "reasoning"
    SNAKE_CASE: ClassVar[bool] = True
    summary: tuple[ReasoningItemReasoningSummary, ...]
    content: tuple[ReasoningItemContent, ...] | None = None
    encrypted_content: str | None = None


@frozen(kw_only=True)
class LocalShellCallResponseItem:
    """A shell call."""

    TYPE: ClassVar[str] = "local_shell_call"
    SNAKE_CASE: ClassVar[bool] = True
    action: LocalShellAction
    status: LocalShellStatus
    call_id: str | None = None
    id: str | None = None


@frozen(kw_only=True)
class FunctionCallResponseItem:
    """A call of a function."""

    TYPE: ClassVar[str] = "function_call"
    SNAKE_CASE: ClassVar[bool] = True
    arguments: str
    call_id: str
    name: str
    id: str | None = None
    namespace: str | None = None


@frozen(kw_only=True)
class ToolSearchCallResponseItem:
    """A search for tools."""

    TYPE: ClassVar[str] = "tool_search_call"
    SNAKE_CASE: ClassVar[bool] = True
    arguments: Any
    execution: str
    call_id: str | None = None
    id: str | None = None
    status: str | None = None


@frozen(kw_only=True)
class FunctionCallOutputResponseItem:
    """The output of a function."""

    TYPE: ClassVar[str] = "function_call_output"
    SNAKE_CASE: ClassVar[bool] = True
    call_id: str
    output: FunctionCallOutputBody


@frozen(kw_only=True)
class CustomToolCallResponseItem:
    """A call of a tool with free text."""

    TYPE: ClassVar[str] = "custom_tool_call"
    SNAKE_CASE: ClassVar[bool] = True
    call_id: str
    input: str
    name: str
    id: str | None = None
    status: str | None = None


@frozen(kw_only=True)
class CustomToolCallOutputResponseItem:
    """The output of a tool with free text."""

    TYPE: ClassVar[str] = "custom_tool_call_output"
    SNAKE_CASE: ClassVar[bool] = True
    call_id: str
    output: FunctionCallOutputBody
    name: str | None = None


@frozen(kw_only=True)
class ToolSearchOutputResponseItem:
    """The tools that a search found."""

    TYPE: ClassVar[str] = "tool_search_output"
    SNAKE_CASE: ClassVar[bool] = True
    execution: str
    status: str
    tools: tuple[Any, ...]
    call_id: str | None = None


@frozen(kw_only=True)
class SearchResponsesApiWebSearchAction:
    """Searched."""

    TYPE: ClassVar[str] = "search"
    queries: tuple[str, ...] | None = None
    query: str | None = None


@frozen
class OpenPageResponsesApiWebSearchAction:
    """Opened a page."""

    TYPE: ClassVar[str] = "open_page"
    url: str | None = None


@frozen(kw_only=True)
class FindInPageResponsesApiWebSearchAction:
    """Searched a page."""

    TYPE: ClassVar[str] = "find_in_page"
    pattern: str | None = None
    url: str | None = None


@frozen
class OtherResponsesApiWebSearchAction:
    """Did something else."""

    TYPE: ClassVar[str] = "other"


ResponsesApiWebSearchAction: TypeAlias = (
    SearchResponsesApiWebSearchAction
    | OpenPageResponsesApiWebSearchAction
    | FindInPageResponsesApiWebSearchAction
    | OtherResponsesApiWebSearchAction
)
"""What a search of the model's provider did, in the model API."""


@frozen(kw_only=True)
class WebSearchCallResponseItem:
    """A search of the model's provider."""

    TYPE: ClassVar[str] = "web_search_call"
    action: ResponsesApiWebSearchAction | None = None
    id: str | None = None
    status: str | None = None


@frozen(kw_only=True)
class ImageGenerationCallResponseItem:
    """An image that the model's provider generated."""

    TYPE: ClassVar[str] = "image_generation_call"
    SNAKE_CASE: ClassVar[bool] = True
    id: str
    result: str
    status: str
    revised_prompt: str | None = None


@frozen
class GhostSnapshotResponseItem:
    """A kept state of the work tree."""

    TYPE: ClassVar[str] = "ghost_snapshot"
    SNAKE_CASE: ClassVar[bool] = True
    ghost_commit: GhostCommit


@frozen
class CompactionResponseItem:
    """A compacted history."""

    TYPE: ClassVar[str] = "compaction"
    SNAKE_CASE: ClassVar[bool] = True
    encrypted_content: str


@frozen
class OtherResponseItem:
    """Something else."""

    TYPE: ClassVar[str] = "other"


ResponseItem: TypeAlias = (
    MessageResponseItem
    | ReasoningResponseItem
    | LocalShellCallResponseItem
    | FunctionCallResponseItem
    | ToolSearchCallResponseItem
    | FunctionCallOutputResponseItem
    | CustomToolCallResponseItem
    | CustomToolCallOutputResponseItem
    | ToolSearchOutputResponseItem
    | WebSearchCallResponseItem
    | ImageGenerationCallResponseItem
    | GhostSnapshotResponseItem
    | CompactionResponseItem
    | OtherResponseItem
)
"""An item of the model API."""


@frozen(kw_only=True)
class RawResponseItemCompletedNotification(Notification):
    """An item of the model API was completed; for clients that asked for raw events."""

    METHOD: ClassVar[str] = "rawResponseItem/completed"
    item: ResponseItemObject
    thread_id: str
    turn_id: str
