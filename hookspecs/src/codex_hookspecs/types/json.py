"""Types of decoded JSON, and JSON values of known shape.

``Annotated`` types here keep a value as JSON where it is passed on unchanged, and say what it looks like: decoding
validates the marked ones, and the bindings of the app-server protocol show the shape.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, NamedTuple, TypeAlias

JsonValue: TypeAlias = "bool | int | float | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"
JsonObject: TypeAlias = dict[str, Any]
"""A decoded JSON object that is passed on unchanged: response items, tool schemas, configuration tables."""


class Cleared:
    """What ``null`` is decoded to, where an absent member keeps a setting and ``null`` removes it.

    The fields of such members have ``clearable`` in their metadata; ``None`` means that the member is absent.
    """

    def __repr__(self) -> str:
        return "CLEARED"


CLEARED: Final = Cleared()


class Shape(NamedTuple):
    """The shape of a value that is passed on as JSON.

    :param reference: the type that describes it, as ``module:name``; imported when needed.
    :param validated: whether decoding refuses values of another shape.
    """

    reference: str
    validated: bool = False


class IntegerRange(NamedTuple):
    """The integers that a member may have.

    :param kind: name in error texts, e.g. ``u32``.
    :param format: ``format`` in JSON schemas, e.g. ``uint32``.
    """

    kind: str
    format: str
    lowest: int
    highest: int


class AbsolutePathMark(NamedTuple):
    """Marks text that must be an absolute path."""


Unsigned: TypeAlias = Annotated[int, IntegerRange("u32", "uint32", 0, 2**32 - 1)]
"""An unsigned 32-bit integer."""
Unsigned8: TypeAlias = Annotated[int, IntegerRange("u8", "uint8", 0, 2**8 - 1)]
Unsigned16: TypeAlias = Annotated[int, IntegerRange("u16", "uint16", 0, 2**16 - 1)]
Unsigned64: TypeAlias = Annotated[int, IntegerRange("u64", "uint64", 0, 2**64 - 1)]
Size: TypeAlias = Annotated[int, IntegerRange("usize", "uint", 0, 2**64 - 1)]
"""A number of bytes or entries."""
Signed32: TypeAlias = Annotated[int, IntegerRange("i32", "int32", -(2**31), 2**31 - 1)]
RequestId: TypeAlias = str | int
"""Id of a request."""
AbsolutePathBuf: TypeAlias = Annotated[str, AbsolutePathMark()]
"""An absolute path."""

UserInputObject: TypeAlias = Annotated[
    JsonObject, Shape("codex_hookspecs.types.app_server.user_input:UserInput", validated=True)
]
UserContentObject: TypeAlias = Annotated[JsonObject, Shape("codex_hookspecs.types.app_server.user_input:UserInput")]
"""A part of a message of the user that is shown, and not validated again."""
ReviewTargetObject: TypeAlias = Annotated[
    JsonObject, Shape("codex_hookspecs.types.app_server.reviews:ReviewTarget", validated=True)
]
SandboxPolicyObject: TypeAlias = Annotated[
    JsonObject, Shape("codex_hookspecs.types.app_server.sandbox_policy:SandboxPolicy", validated=True)
]
CollaborationModeObject: TypeAlias = Annotated[
    JsonObject, Shape("codex_hookspecs.types.app_server.model_settings:CollaborationMode", validated=True)
]
ThreadStatusObject: TypeAlias = Annotated[JsonObject, Shape("codex_hookspecs.types.app_server.statuses:ThreadStatus")]
SessionSourceValue: TypeAlias = Annotated[
    str | JsonObject, Shape("codex_hookspecs.types.app_server.statuses:SessionSource")
]
CodexErrorInfoValue: TypeAlias = Annotated[
    str | JsonObject, Shape("codex_hookspecs.types.app_server.statuses:CodexErrorInfo")
]
MessagePhaseValue: TypeAlias = Annotated[str, Shape("codex_hookspecs.types.items:MessagePhase")]
RateLimitsObject: TypeAlias = Annotated[
    JsonObject, Shape("codex_hookspecs.types.app_server.accounts:RateLimitSnapshot")
]
CommandActionObject: TypeAlias = Annotated[
    JsonObject, Shape("codex_hookspecs.types.app_server.item_parts:CommandAction")
]
PatchChangeKindObject: TypeAlias = Annotated[
    JsonObject, Shape("codex_hookspecs.types.app_server.item_parts:PatchChangeKind")
]
MemoryCitationObject: TypeAlias = Annotated[
    JsonObject, Shape("codex_hookspecs.types.app_server.item_parts:MemoryCitation")
]
WebSearchActionObject: TypeAlias = Annotated[
    JsonObject, Shape("codex_hookspecs.types.app_server.item_parts:WebSearchAction")
]
McpToolCallResultObject: TypeAlias = Annotated[
    JsonObject, Shape("codex_hookspecs.types.app_server.item_parts:McpToolCallResult")
]
McpToolCallErrorObject: TypeAlias = Annotated[
    JsonObject, Shape("codex_hookspecs.types.app_server.item_parts:McpToolCallError")
]
ToolOutputObject: TypeAlias = Annotated[
    JsonObject, Shape("codex_hookspecs.types.app_server.item_parts:DynamicToolCallOutputContentItem")
]
CollabAgentStateObject: TypeAlias = Annotated[
    JsonObject, Shape("codex_hookspecs.types.app_server.item_parts:CollabAgentState")
]
CollabAgentToolValue: TypeAlias = Annotated[str, Shape("codex_hookspecs.types.app_server.item_parts:CollabAgentTool")]
TextRangeObject: TypeAlias = Annotated[JsonObject, Shape("codex_hookspecs.types.app_server.config:TextRange")]
CommandDecisionValue: TypeAlias = Annotated[
    str | JsonObject, Shape("codex_hookspecs.types.app_server.server_requests:CommandExecutionApprovalDecision")
]
DynamicToolObject: TypeAlias = Annotated[
    JsonObject, Shape("codex_hookspecs.types.app_server.server_requests:DynamicToolSpec")
]
ResponseItemObject: TypeAlias = Annotated[
    JsonObject, Shape("codex_hookspecs.types.app_server.response_items:ResponseItem")
]
ConfigObject: TypeAlias = Annotated[JsonObject, Shape("codex_hookspecs.types.app_server.config_values:Config")]
GitInfoUpdateObject: TypeAlias = Annotated[
    JsonObject, Shape("codex_hookspecs.types.app_server.threads:ThreadMetadataGitInfoUpdateParams", validated=True)
]
"""An absent member keeps its value, one that is null loses it."""
