"""Decode JSON to attrs values, with the error texts of Codex (serde).

Only the forms of types that a protocol uses are known. A general library for that takes as long to import as a server's
whole handshake, and would leave little less to write: the texts and the order of faults are Codex's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache, partial
from importlib import import_module
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, cast, get_args, get_origin

import attrs

from codex_hookspecs.errors import WireError
from codex_hookspecs.types.json import CLEARED, AbsolutePathMark, Cleared, IntegerRange, Shape
from codex_hookspecs.wire._faults import json_type_name
from codex_hookspecs.wire._names import is_clearable, is_local, wire_name

T = TypeVar("T")
Decoder = Callable[[Any], Any]
"""Converts a JSON value to a value of a type.

:raises Faults: when it does not fit.
"""

_PLAIN = {str: "a string", bool: "a boolean", int: "i64", float: "f64", list: "a sequence", dict: "a map"}


class Faults(ValueError):
    """Raised for a JSON value that does not fit.

    :param found: what is wrong, and where in the value.
    """

    def __init__(self, *found: tuple[str, str]) -> None:
        super().__init__(found)
        self.found = found

    def below(self, place: str) -> list[tuple[str, str]]:
        """Return the faults as those of a value that has this one at a place."""
        return [(text, place + rest) for text, rest in self.found]


def structure(kind: type[T], value: Any, *, shapes: bool = False) -> T:
    """Decode a value; see :func:`codex_hookspecs.wire.decode`.

    :param shapes: whether JSON values must have the shape that their annotation says, also where they need not.
    """
    try:
        result: T = _decoder(cast("Any", kind), shapes)(value)
    except Faults as error:
        # Codex finds an ill-typed member while parsing and a missing one only at the end.
        faults = sorted(error.below("$"), key=lambda fault: fault[0].startswith("missing field"))
        raise WireError(tuple(faults)) from error
    return result


def one_of(names: tuple[str, ...]) -> str:
    """Return a list of allowed words in the format of Codex's error texts."""
    quoted = [f"`{name}`" for name in names]
    if len(quoted) == 2:
        return f"{quoted[0]} or {quoted[1]}"
    return quoted[0] if len(quoted) == 1 else f"one of {', '.join(quoted)}"


@cache
def _decoder(kind: Any, shapes: bool) -> Decoder:
    """Return the decoder of a type.

    :raises TypeError: when values of the type have no JSON form.
    """
    origin = get_origin(kind)
    if origin is Annotated:
        return _annotated(kind, shapes)
    if origin is Literal:
        return partial(_word, get_args(kind))
    if origin in (Union, UnionType):
        return _union(kind, shapes)
    if origin in (list, tuple):
        return _sequence(origin, kind, shapes)
    if origin is dict:
        return _object(get_args(kind)[1], shapes)
    if kind in _PLAIN:
        return partial(_plain, kind)
    if kind is Any:
        return lambda value: value
    if attrs.has(kind):
        return _class(kind, shapes)
    raise TypeError(f"values of {kind!r} have no JSON form")


def _fault(text: str) -> Faults:
    return Faults((text, ""))


def _plain(kind: type, value: Any) -> Any:
    if type(value) is kind or (kind is float and type(value) is int):
        return value
    raise _fault(f"invalid type: {json_type_name(value)}, expected {_PLAIN[kind]}")


def _annotated(kind: Any, shapes: bool) -> Decoder:
    bare, *marks = get_args(kind)
    for mark in marks:
        if isinstance(mark, IntegerRange):
            return partial(_integer, mark)
        if isinstance(mark, AbsolutePathMark):
            return _absolute_path
        if isinstance(mark, Shape) and (mark.validated or shapes):
            return _shaped(bare, mark, shapes)
    return _decoder(bare, shapes)


def _integer(allowed: IntegerRange, value: Any) -> int:
    if type(value) is not int:
        raise _fault(f"invalid type: {json_type_name(value)}, expected {allowed.kind}")
    if not allowed.lowest <= value <= allowed.highest:
        raise _fault(f"invalid value: {json_type_name(value)}, expected {allowed.kind}")
    return value


def _absolute_path(value: Any) -> str:
    if type(value) is not str:
        raise _fault(f"invalid type: {json_type_name(value)}, expected path string")
    path: str = value
    if not (path.startswith(("/", "\\\\")) or path[1:3] in (":\\", ":/")):
        raise _fault("AbsolutePathBuf deserialized without a base path")
    return path


def _shaped(bare: Any, mark: Shape, shapes: bool) -> Decoder:
    """Return a decoder that validates a value by the type that describes it, and returns the value unchanged."""
    module, _, name = mark.reference.partition(":")

    def decode(value: Any) -> Any:
        shape = getattr(import_module(module), name)
        if not isinstance(value, dict) and all(hasattr(member, "TYPE") for member in get_args(shape) or [shape]):
            raise _fault(f"invalid type: {json_type_name(value)}, expected internally tagged enum {name}")
        _decoder(shape, shapes)(value)
        return _decoder(bare, shapes)(value)

    return decode


def _word(words: tuple[Any, ...], value: Any) -> Any:
    if value in words and not isinstance(value, bool):
        return value
    if not isinstance(value, str):
        raise _fault(f"invalid type: {json_type_name(value)}, expected string or map")
    raise _fault(f"unknown variant `{value}`, expected {one_of(words)}")


def _sequence(origin: type[list[Any] | tuple[Any, ...]], kind: Any, shapes: bool) -> Decoder:
    part = get_args(kind)[0]

    def decode(value: Any) -> Any:
        each = _decoder(part, shapes)
        return origin(_parts((f"[{index}]", each, one) for index, one in enumerate(_plain(list, value))))

    return decode


def _object(part: Any, shapes: bool) -> Decoder:
    if part is Any:
        return partial(_plain, dict)

    def decode(value: Any) -> Any:
        each = _decoder(part, shapes)
        members = _plain(dict, value)
        return dict(zip(members, _parts((f"[{key}]", each, one) for key, one in members.items()), strict=True))

    return decode


def _parts(given: Iterable[tuple[str, Decoder, Any]]) -> list[Any]:
    """Decode the parts of a value.

    :param given: place, decoder and value of each.
    :raises Faults: with the faults of all parts.
    """
    decoded, faults = [], []
    for place, decode, value in given:
        try:
            decoded.append(decode(value))
        except Faults as error:
            faults += error.below(place)
    if faults:
        raise Faults(*faults)
    return decoded


def _union(kind: Any, shapes: bool) -> Decoder:
    members = [member for member in get_args(kind) if member not in (NoneType, Cleared)]
    optional = NoneType in get_args(kind)
    if all(hasattr(member, "TYPE") for member in members):
        inner = _tagged(members, shapes)
    elif len(members) == 1:
        inner = _decoder(members[0], shapes)
    else:
        inner = partial(_untagged, members, shapes)
    if not optional:
        return inner
    return lambda value: None if value is None else inner(value)


def _untagged(members: list[Any], shapes: bool, value: Any) -> Any:
    """Decode a value by the members of a union that are of its kind; the last one's faults are reported."""
    words = any(get_origin(member) is Literal for member in members)
    if words and isinstance(value, str | dict) and all(map(_is_variant, members)):
        return _variant(members, shapes, value)
    candidates = [member for member in members if _may_fit(value, member)]
    for member in candidates[:-1]:
        try:
            return _decoder(member, shapes)(value)
        except Faults:
            continue
    if candidates:
        return _decoder(candidates[-1], shapes)(value)
    if words:
        raise _fault(f"invalid type: {json_type_name(value)}, expected string or map")
    expected = " or ".join(_PLAIN.get(get_origin(member) or member, "a map") for member in members)
    raise _fault(f"invalid type: {json_type_name(value)}, expected {expected}")


def _is_variant(member: Any) -> bool:
    return get_origin(member) is Literal or (attrs.has(member) and len(attrs.fields(member)) == 1)


def _variant(members: list[Any], shapes: bool, value: Any) -> Any:
    """Decode a word, or an object of one member that is named like one."""
    variants: dict[str, Any] = {}
    for member in members:
        names = get_args(member) if get_origin(member) is Literal else [wire_name(attrs.fields(member)[0], member)]
        variants.update(dict.fromkeys(names, member))
    name = value if isinstance(value, str) else next(iter(value), None)
    if name is None:
        raise _fault("invalid value: map, expected map with a single key")
    if name not in variants:
        raise _fault(f"unknown variant `{name}`, expected {one_of(tuple(variants))}")
    if (get_origin(variants[name]) is Literal) is not isinstance(value, str):
        raise _fault("invalid type: unit variant, expected struct variant")
    return _decoder(variants[name], shapes)(value)


def _may_fit(value: Any, member: Any) -> bool:
    """Return whether a JSON value is of the kind that a type has; a class of one member is told by its name."""
    kind = get_origin(member) or member
    if kind is Annotated:
        return _may_fit(value, get_args(member)[0])
    if kind is Literal:
        return isinstance(value, str)
    if kind in (Union, UnionType):
        return any(_may_fit(value, part) for part in get_args(member))
    if not attrs.has(kind):
        return (list if kind is tuple else kind) is type(value)
    if not isinstance(value, dict):
        return False
    required = {wire_name(field, kind) for field in attrs.fields(kind) if field.default is attrs.NOTHING}
    return required <= value.keys() or not required.isdisjoint(value)


def _tagged(members: list[Any], shapes: bool) -> Decoder:
    classes = {member.TYPE: member for member in members}
    member = getattr(members[0], "TAG", "type")

    def decode(value: Any) -> Any:
        tag = _plain(dict, value).get(member)
        if tag is None:
            raise _fault(f"missing field `{member}`")
        if type(tag) is int and tag >= 0:
            raise _fault(f"invalid value: {json_type_name(tag)}, expected variant index 0 <= i < {len(classes)}")
        if not isinstance(tag, str):
            raise _fault(f"invalid type: {json_type_name(tag)}, expected variant identifier")
        if tag not in classes:
            raise _fault(f"unknown variant `{tag}`, expected {one_of(tuple(classes))}")
        return _decoder(classes[tag], shapes)(value)

    return decode


def _class(kind: Any, shapes: bool) -> Decoder:
    attrs.resolve_types(kind)
    fields = [
        (wire_name(field, kind), field.alias or field.name, field, field.default is attrs.NOTHING)
        for field in attrs.fields(kind)
        if not is_local(field)
    ]

    def decode(value: Any) -> Any:
        if not isinstance(value, dict):
            raise _fault(f"invalid type: {json_type_name(value)}, expected struct {kind.__name__}")
        given: dict[str, Any] = {}
        faults: list[tuple[str, str]] = []
        for name, parameter, field, required in fields:
            if name not in value:
                if required:
                    faults.append((f"missing field `{name}`", ""))
                continue
            one = value[name]
            if one is None and not required:
                if is_clearable(field):
                    given[parameter] = CLEARED
                continue
            try:
                given[parameter] = _decoder(field.type, shapes)(one)
            except Faults as error:
                faults += error.below(f".{name}")
        if faults:
            raise Faults(*faults)
        try:
            return kind(**given)
        except (TypeError, ValueError) as error:
            raise _fault(str(error)) from error

    return decode
