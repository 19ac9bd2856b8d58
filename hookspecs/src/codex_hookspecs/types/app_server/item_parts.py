"""Parts of items (app-server protocol v2, 0.118)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, TypeAlias

from codex_hookspecs.types.json import Unsigned
from codex_hookspecs.values import frozen

CollabAgentStatus = Literal["pendingInit", "running", "interrupted", "completed", "errored", "shutdown", "notFound"]
"""State of an agent."""


@frozen(kw_only=True)
class CollabAgentState:
    """State of an agent that another agent started."""

    status: CollabAgentStatus
    message: str | None = None


CollabAgentTool = Literal["spawnAgent", "sendInput", "resumeAgent", "wait", "closeAgent"]
"""What one agent does to another."""


@frozen(kw_only=True)
class ReadCommandAction:
    """Reads a file."""

    TYPE: ClassVar[str] = "read"
    command: str
    name: str
    path: str


@frozen(kw_only=True)
class ListFilesCommandAction:
    """Lists files."""

    TYPE: ClassVar[str] = "listFiles"
    command: str
    path: str | None = None


@frozen(kw_only=True)
class SearchCommandAction:
    """Searches."""

    TYPE: ClassVar[str] = "search"
    command: str
    path: str | None = None
    query: str | None = None


@frozen
class UnknownCommandAction:
    """Something else."""

    TYPE: ClassVar[str] = "unknown"
    command: str


CommandAction: TypeAlias = ReadCommandAction | ListFilesCommandAction | SearchCommandAction | UnknownCommandAction
"""What a command does, for display."""


@frozen
class InputTextDynamicToolCallOutputContentItem:
    """Text."""

    TYPE: ClassVar[str] = "inputText"
    text: str


@frozen
class InputImageDynamicToolCallOutputContentItem:
    """An image, by URL."""

    TYPE: ClassVar[str] = "inputImage"
    image_url: str


DynamicToolCallOutputContentItem: TypeAlias = (
    InputTextDynamicToolCallOutputContentItem | InputImageDynamicToolCallOutputContentItem
)
"""A part of the output of a client's tool."""


@frozen
class McpToolCallError:
    """Why a call of an MCP tool failed."""

    message: str


@frozen(kw_only=True)
class McpToolCallResult:
    """The result of an MCP tool."""

    content: tuple[Any, ...]
    structured_content: Any = None


@frozen(kw_only=True)
class MemoryCitationEntry:
    """Lines of a file of notes.

    :param line_end: last line, counted from 1.
    :param line_start: first line, counted from 1.
    """

    line_end: Unsigned
    line_start: Unsigned
    note: str
    path: str


@frozen(kw_only=True)
class MemoryCitation:
    """Notes from earlier threads that a message relies on."""

    entries: tuple[MemoryCitationEntry, ...]
    thread_ids: tuple[str, ...]


@frozen
class AddPatchChangeKind:
    """The file is added."""

    TYPE: ClassVar[str] = "add"


@frozen
class DeletePatchChangeKind:
    """The file is deleted."""

    TYPE: ClassVar[str] = "delete"


@frozen
class UpdatePatchChangeKind:
    """The file is changed, and moved if it has a new path."""

    TYPE: ClassVar[str] = "update"
    SNAKE_CASE: ClassVar[bool] = True
    move_path: str | None = None


PatchChangeKind: TypeAlias = AddPatchChangeKind | DeletePatchChangeKind | UpdatePatchChangeKind
"""What happens to a file."""


@frozen(kw_only=True)
class SearchWebSearchAction:
    """Searched."""

    TYPE: ClassVar[str] = "search"
    queries: tuple[str, ...] | None = None
    query: str | None = None


@frozen
class OpenPageWebSearchAction:
    """Opened a page."""

    TYPE: ClassVar[str] = "openPage"
    url: str | None = None


@frozen(kw_only=True)
class FindInPageWebSearchAction:
    """Searched a page."""

    TYPE: ClassVar[str] = "findInPage"
    pattern: str | None = None
    url: str | None = None


@frozen
class OtherWebSearchAction:
    """Did something else."""

    TYPE: ClassVar[str] = "other"


WebSearchAction: TypeAlias = (
    SearchWebSearchAction | OpenPageWebSearchAction | FindInPageWebSearchAction | OtherWebSearchAction
)
"""What a search of the model's provider did."""
