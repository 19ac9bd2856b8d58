"""Convert between attrs values and wire JSON: camelCase members, unions tagged by ``type``.

The wire name of a field is its name in camel case, unless its metadata has another one under ``wire``; a class that
has ``SNAKE_CASE`` keeps the names. ``TYPE`` of a class is its tag; its member is ``type``, or what ``TAG`` says. Fields
with ``local`` in their metadata are not on the wire. Encoding needs no library; decoding uses cattrs, imported when
first needed.

Members of unions without tags are told by the kind of the JSON value, and classes by their required members. Values of
an ``Annotated`` type with a :class:`~codex_hookspecs.types.json.Shape` stay as they are.

Decoding ignores unknown members and accepts ``null`` for every optional member. Where ``null`` and an absent member
differ, the field has ``clearable`` in its metadata: ``null`` is :data:`~codex_hookspecs.types.json.CLEARED`, ``None``
is absent. Error texts are those of Codex's server: ``missing field `threadId` ``, ``invalid type: integer `5`,
expected a string``.
"""

from __future__ import annotations

from typing import Any, TypeVar, overload

import attrs

from codex_hookspecs.types.json import CLEARED
from codex_hookspecs.wire._faults import json_type_name
from codex_hookspecs.wire._names import camel, is_clearable, is_local, snake, wire_name

__all__ = ["camel", "check", "decode", "encode", "json_type_name", "snake", "wire_name"]

T = TypeVar("T")

_Names = tuple[tuple[str, str], ...]
_PLANS: dict[type, tuple[dict[str, str], _Names, _Names]] = {}
"""By class: the member of the tag, and field and wire name of the others and of those that ``null`` clears."""


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
    tag, fields, clearable = plan
    result: dict[str, Any] = dict(tag)
    for name, wire in fields:
        result[wire] = encode(getattr(value, name))
    for name, wire in clearable:
        given = getattr(value, name)
        if given is not None:
            result[wire] = None if given is CLEARED else encode(given)
    return result


@overload
def decode(kind: type[T], value: Any) -> T: ...


@overload
def decode(kind: Any, value: Any) -> Any: ...


def decode(kind: Any, value: Any) -> Any:
    """Decode a JSON document to a value of a type.

    :param kind: an attrs class, a union of such classes, or the type of a field.
    :raises WireError: when the document does not have that shape; has every fault with its path.
    """
    from codex_hookspecs.wire._decoding import structure

    return structure(kind, value)


def check(kind: Any, value: Any) -> None:
    """Check a JSON document against a type, with the shapes of all JSON values in it.

    :param kind: an attrs class, a union of such classes, or the type of a field.
    :raises WireError: when the document does not have that shape.
    """
    from codex_hookspecs.wire._decoding import structure

    structure(kind, value, shapes=True)


def _plan(cls: type) -> tuple[dict[str, str], _Names, _Names]:
    word: str | None = getattr(cls, "TYPE", None)
    tag = {getattr(cls, "TAG", "type"): word} if word else {}
    shown = [field for field in attrs.fields(cls) if not is_local(field)]
    fields = tuple((field.name, wire_name(field, cls)) for field in shown if not is_clearable(field))
    return tag, fields, tuple((field.name, wire_name(field, cls)) for field in shown if is_clearable(field))
