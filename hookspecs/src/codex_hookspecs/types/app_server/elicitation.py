"""Forms that MCP servers show to users (app-server protocol v2, 0.118)."""

from __future__ import annotations

from typing import Literal, TypeAlias

from attrs import field

from codex_hookspecs.types.json import Unsigned, Unsigned64
from codex_hookspecs.values import frozen

McpElicitationArrayType = Literal["array"]
"""Type of a list."""

McpElicitationBooleanType = Literal["boolean"]
"""Type of yes or no."""


@frozen(kw_only=True)
class McpElicitationBooleanSchema:
    """A field for yes or no."""

    type: McpElicitationBooleanType
    default: bool | None = None
    description: str | None = None
    title: str | None = None


@frozen(kw_only=True)
class McpElicitationConstOption:
    """A choice with a title."""

    const: str
    title: str


McpElicitationStringType = Literal["string"]
"""Type of a text."""


@frozen(kw_only=True)
class McpElicitationLegacyTitledEnumSchema:
    """A field for one choice; titles are in a list of their own."""

    enum: tuple[str, ...]
    type: McpElicitationStringType
    default: str | None = None
    description: str | None = None
    enum_names: tuple[str, ...] | None = None
    title: str | None = None


@frozen
class McpElicitationTitledEnumItems:
    """Choices with titles."""

    any_of: tuple[McpElicitationConstOption, ...]


@frozen(kw_only=True)
class McpElicitationTitledMultiSelectEnumSchema:
    """A field for several choices with titles."""

    items: McpElicitationTitledEnumItems
    type: McpElicitationArrayType
    default: tuple[str, ...] | None = None
    description: str | None = None
    max_items: Unsigned64 | None = None
    min_items: Unsigned64 | None = None
    title: str | None = None


@frozen(kw_only=True)
class McpElicitationUntitledEnumItems:
    """Choices without titles."""

    enum: tuple[str, ...]
    type: McpElicitationStringType


@frozen(kw_only=True)
class McpElicitationUntitledMultiSelectEnumSchema:
    """A field for several choices without titles."""

    items: McpElicitationUntitledEnumItems
    type: McpElicitationArrayType
    default: tuple[str, ...] | None = None
    description: str | None = None
    max_items: Unsigned64 | None = None
    min_items: Unsigned64 | None = None
    title: str | None = None


McpElicitationMultiSelectEnumSchema: TypeAlias = (
    McpElicitationUntitledMultiSelectEnumSchema | McpElicitationTitledMultiSelectEnumSchema
)
"""A field for several choices."""


@frozen(kw_only=True)
class McpElicitationTitledSingleSelectEnumSchema:
    """A field for one choice with titles."""

    one_of: tuple[McpElicitationConstOption, ...]
    type: McpElicitationStringType
    default: str | None = None
    description: str | None = None
    title: str | None = None


@frozen(kw_only=True)
class McpElicitationUntitledSingleSelectEnumSchema:
    """A field for one choice without titles."""

    enum: tuple[str, ...]
    type: McpElicitationStringType
    default: str | None = None
    description: str | None = None
    title: str | None = None


McpElicitationSingleSelectEnumSchema: TypeAlias = (
    McpElicitationUntitledSingleSelectEnumSchema | McpElicitationTitledSingleSelectEnumSchema
)
"""A field for one choice."""

McpElicitationEnumSchema: TypeAlias = (
    McpElicitationSingleSelectEnumSchema | McpElicitationMultiSelectEnumSchema | McpElicitationLegacyTitledEnumSchema
)
"""A field for a choice."""

McpElicitationNumberType = Literal["number", "integer"]
"""Type of a number."""


@frozen(kw_only=True)
class McpElicitationNumberSchema:
    """A field for a number."""

    type: McpElicitationNumberType
    default: float | None = None
    description: str | None = None
    maximum: float | None = None
    minimum: float | None = None
    title: str | None = None


McpElicitationObjectType = Literal["object"]
"""Type of a form."""

McpElicitationStringFormat = Literal["email", "uri", "date", "date-time"]
"""Format of a text."""


@frozen(kw_only=True)
class McpElicitationStringSchema:
    """A field for text."""

    type: McpElicitationStringType
    default: str | None = None
    description: str | None = None
    format: McpElicitationStringFormat | None = None
    max_length: Unsigned | None = None
    min_length: Unsigned | None = None
    title: str | None = None


McpElicitationPrimitiveSchema: TypeAlias = (
    McpElicitationEnumSchema | McpElicitationStringSchema | McpElicitationNumberSchema | McpElicitationBooleanSchema
)
"""A field of a form."""


@frozen(kw_only=True)
class McpElicitationSchema:
    """A form: its fields by name."""

    properties: dict[str, McpElicitationPrimitiveSchema]
    type: McpElicitationObjectType
    schema: str | None = field(default=None, metadata={"wire": "$schema"})
    required: tuple[str, ...] | None = None
