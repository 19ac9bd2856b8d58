"""Convert names of fields to wire names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import attrs


def wire_name(attribute: attrs.Attribute[Any]) -> str:
    """Return the wire name of an attrs field."""
    given: str | None = attribute.metadata.get("wire")
    return given or camel(attribute.name)


def camel(name: str) -> str:
    """Return a snake case name in camel case."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def snake(name: str) -> str:
    """Return the name of an event in snake case; accepts the spelling of hook scripts, ``PreToolUse``."""
    words = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
    return words.removeprefix("_")
