"""Convert between attrs values and wire JSON: camelCase members, unions tagged by ``type``.

The wire name of a field is its name in camel case, unless its metadata gives another under ``wire``; a class with
``TYPE`` carries that as its tag. Encoding needs no library; decoding uses cattrs, imported when first needed.
"""

from __future__ import annotations

from typing import Any

import attrs

_PLANS: dict[type, tuple[str | None, tuple[tuple[str, str], ...]]] = {}


def wire_name(attribute: attrs.Attribute[Any]) -> str:
    """Return the wire name of an attrs field."""
    given: str | None = attribute.metadata.get("wire")
    return given or camel(attribute.name)


def camel(name: str) -> str:
    """Return a snake case name in camel case."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def encode(value: Any) -> Any:
    """Return the wire form of a value: attrs values become objects, tuples lists; JSON values stay as they are."""
    cls = type(value)
    if cls in (str, int, bool, float) or value is None:
        return value
    if cls in (tuple, list):
        return [encode(part) for part in value]
    if cls is dict:
        return {key: encode(part) for key, part in value.items()}
    plan = _PLANS.get(cls)
    if plan is None:
        if not attrs.has(cls):
            return value
        plan = _PLANS[cls] = _plan(cls)
    tag, fields = plan
    result: dict[str, Any] = {"type": tag} if tag else {}
    for name, wire in fields:
        result[wire] = encode(getattr(value, name))
    return result


def _plan(cls: type) -> tuple[str | None, tuple[tuple[str, str], ...]]:
    tag: str | None = getattr(cls, "TYPE", None)
    return tag, tuple((attribute.name, wire_name(attribute)) for attribute in attrs.fields(cls))
