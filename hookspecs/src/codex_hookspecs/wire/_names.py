"""Convert names of fields to wire names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import attrs


def wire_name(attribute: attrs.Attribute[Any], owner: type | None = None) -> str:
    """Return the wire name of an attrs field.

    :param owner: the class of the field; its names are kept if it has ``SNAKE_CASE``.
    """
    given: str | None = attribute.metadata.get("wire")
    if given:
        return given
    return attribute.name if getattr(owner, "SNAKE_CASE", False) else camel(attribute.name)


def is_local(attribute: attrs.Attribute[Any]) -> bool:
    """Return whether an attrs field is for clients inside this program only, and not on the wire."""
    return bool(attribute.metadata.get("local"))


def is_clearable(attribute: attrs.Attribute[Any]) -> bool:
    """Return whether ``null`` of an attrs field is told from an absent member."""
    return bool(attribute.metadata.get("clearable"))


def camel(name: str) -> str:
    """Return a snake case name in camel case."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def snake(name: str) -> str:
    """Return the name of an event in snake case; accepts the spelling of hook scripts, ``PreToolUse``."""
    words = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
    return words.removeprefix("_")
