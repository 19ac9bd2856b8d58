"""Shapes of wire values, between Python annotations and the languages of the bindings."""

from __future__ import annotations

from typing import Any, TypeAlias

from attrs import frozen


@frozen
class Plain:
    """A string, boolean, number or integer, or any JSON value.

    :param kind: its type in JSON schemas, or ``any``.
    :param format: its format in JSON schemas, e.g. ``uint32``.
    """

    kind: str
    format: str = ""


@frozen
class Words:
    """One of some words."""

    words: tuple[str, ...]


@frozen
class Reference:
    """A definition, by its name in the protocol."""

    name: str


@frozen
class ListOf:
    """A list."""

    item: Shape


@frozen
class MapOf:
    """An object whose members have any names."""

    value: Shape


@frozen
class Nullable:
    """A value or ``null``."""

    inner: Shape


@frozen
class OneOf:
    """A value of one of some shapes."""

    options: tuple[Shape, ...]


@frozen(kw_only=True)
class Member:
    """A member of an object.

    :param required: whether it is always there.
    :param default: what an absent member means, if the schema says so.
    """

    name: str
    shape: Shape
    required: bool
    default: Any = None
    doc: str = ""


@frozen(kw_only=True)
class Record:
    """An object with known members.

    :param tag: member and word that tell it from the others of its union.
    :param closed: whether it has no further members.
    """

    members: tuple[Member, ...]
    tag: tuple[str, str] | None = None
    closed: bool = False
    doc: str = ""


@frozen
class Definition:
    """A named shape."""

    name: str
    shape: Shape
    doc: str = ""


Shape: TypeAlias = Plain | Words | Reference | ListOf | MapOf | Nullable | OneOf | Record


def references(shape: Shape) -> tuple[str, ...]:
    """Return the names of the definitions that a shape mentions."""
    if isinstance(shape, Reference):
        return (shape.name,)
    parts: tuple[Shape, ...] = ()
    if isinstance(shape, ListOf):
        parts = (shape.item,)
    elif isinstance(shape, MapOf):
        parts = (shape.value,)
    elif isinstance(shape, Nullable):
        parts = (shape.inner,)
    elif isinstance(shape, OneOf):
        parts = shape.options
    elif isinstance(shape, Record):
        parts = tuple(member.shape for member in shape.members)
    return tuple(dict.fromkeys(name for part in parts for name in references(part)))
