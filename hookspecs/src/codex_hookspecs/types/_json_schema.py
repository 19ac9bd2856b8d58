"""Derive JSON schemas and validating converters from Python annotations."""

from __future__ import annotations

import collections.abc
import enum
import json
import types
import typing
from collections.abc import Callable
from typing import Any, Final, Literal, NamedTuple, Union


class Misfit(ValueError):
    """Raised when a JSON value does not fit an annotation; names what was expected and found."""


class Kind(NamedTuple):
    """Schema and converter of an annotation.

    :param schema: JSON schema.
    :param convert: validates and converts a JSON value; called with the value and its path.
    """

    schema: dict[str, Any]
    convert: Callable[[Any, str], Any]


_SEQUENCES: Final[dict[Any, Callable[[list[Any]], Any]]] = {
    list: list,
    tuple: tuple,
    set: set,
    frozenset: frozenset,
    collections.abc.Sequence: list,
    collections.abc.Iterable: list,
}
_MAPPINGS: Final = (dict, collections.abc.Mapping)


def kind_of(annotation: Any, where: str) -> Kind:
    """Return schema and converter of an annotation.

    :param where: description of the parameter, for errors.
    :raises TypeError: when such values can't be represented in JSON.
    """
    plain = _PLAIN.get(annotation) if isinstance(annotation, collections.abc.Hashable) else None
    if plain is not None:
        return plain
    origin, arguments = typing.get_origin(annotation) or annotation, typing.get_args(annotation)
    if origin is typing.Annotated:
        return _annotated(annotation, where)
    if origin is Literal:
        return _choice({value: value for value in arguments}, where)
    if isinstance(origin, type) and issubclass(origin, enum.Enum):
        return _choice({member.value: member for member in origin}, where)
    if origin in (Union, types.UnionType):
        return _union([kind_of(argument, where) for argument in arguments])
    if origin in _SEQUENCES and (origin is not tuple or arguments[1:] in ((), (...,))):
        return _sequence(kind_of(arguments[0], where) if arguments else _ANY, _SEQUENCES[origin])
    if origin in _MAPPINGS and arguments[:1] in ((), (str,)):
        return _mapping(kind_of(arguments[1], where) if arguments else _ANY)
    raise TypeError(
        f"{where} is annotated {annotation!r}; allowed are str, int, float, bool, None, Any, Literal, enumerations, "
        "and lists, tuples of one kind, dictionaries with str keys and unions of these"
    )


def _annotated(annotation: Any, where: str) -> Kind:
    inner, *notes = typing.get_args(annotation)
    kind = kind_of(inner, where)
    text = next((note for note in notes if isinstance(note, str)), None)
    return kind if text is None else kind._replace(schema={**kind.schema, "description": text})


def _scalar(name: str, fits: Callable[[Any], bool], make: Callable[[Any], Any]) -> Kind:
    def convert(value: Any, place: str) -> Any:
        if not fits(value):
            raise _misfit(value, name, place)
        return make(value)

    return Kind({"type": name}, convert)


def _choice(members: dict[Any, Any], where: str) -> Kind:
    values = list(members)
    if not values or not all(value is None or type(value) in (str, int, bool, float) for value in values):
        raise TypeError(f"{where} chooses from values that JSON can't carry: {values!r}")
    schema: dict[str, Any] = {"enum": values}
    if all(type(value) is str for value in values):
        schema = {"type": "string", "enum": values}

    def convert(value: Any, place: str) -> Any:
        for known, member in members.items():
            if type(known) is type(value) and known == value:
                return member
        raise _misfit(value, f"one of {', '.join(json.dumps(known) for known in values)}", place)

    return Kind(schema, convert)


def _union(kinds: list[Kind]) -> Kind:
    def convert(value: Any, place: str) -> Any:
        faults = []
        for kind in kinds:
            try:
                return kind.convert(value, place)
            except Misfit as fault:
                faults.append(str(fault))
        raise Misfit("; ".join(dict.fromkeys(faults)))

    return Kind({"anyOf": [kind.schema for kind in kinds]}, convert)


def _sequence(element: Kind, make: Callable[[list[Any]], Any]) -> Kind:
    def convert(value: Any, place: str) -> Any:
        if not isinstance(value, list):
            raise _misfit(value, "array", place)
        return make([element.convert(part, f"{place}[{number}]") for number, part in enumerate(value)])

    return Kind({"type": "array", "items": element.schema}, convert)


def _mapping(element: Kind) -> Kind:
    def convert(value: Any, place: str) -> Any:
        if not isinstance(value, dict):
            raise _misfit(value, "object", place)
        return {key: element.convert(part, f"{place}.{key}") for key, part in value.items()}

    return Kind({"type": "object", "additionalProperties": element.schema or True}, convert)


def _misfit(value: Any, expected: str, place: str) -> Misfit:
    shown = json.dumps(value, ensure_ascii=False)
    return Misfit(f"invalid value {shown if len(shown) <= 80 else f'{shown[:80]}…'} for {place}, expected {expected}")


_ANY: Final = Kind({}, lambda value, _place: value)
_NULL: Final = _scalar("null", lambda value: value is None, lambda value: value)
_PLAIN: Final[dict[Any, Kind]] = {
    Any: _ANY,
    None: _NULL,
    type(None): _NULL,
    str: _scalar("string", lambda value: isinstance(value, str), str),
    bool: _scalar("boolean", lambda value: isinstance(value, bool), bool),
    int: _scalar("integer", lambda value: type(value) is int or (type(value) is float and value.is_integer()), int),
    float: _scalar("number", lambda value: type(value) in (int, float), float),
}
