"""Decode JSON to attrs values with cattrs, with the error texts of Codex (serde)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial
from importlib import import_module
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import attrs
import cattrs
from cattrs.cols import homogenous_tuple_structure_factory, list_structure_factory, mapping_structure_factory
from cattrs.errors import ClassValidationError, IterableValidationError
from cattrs.gen import make_dict_structure_fn, override

from codex_hookspecs.errors import WireError
from codex_hookspecs.types.json import CLEARED, AbsolutePathMark, Cleared, IntegerRange, Shape
from codex_hookspecs.wire._faults import json_type_name
from codex_hookspecs.wire._names import is_clearable, is_local, wire_name

T = TypeVar("T")
Structure = Callable[[Any, Any], Any]
"""A cattrs hook: converts a JSON value to a value of a type."""

_PLAIN = {str: "a string", bool: "a boolean", int: "i64", float: "f64", list: "a sequence", dict: "a map"}


class Fault(ValueError):
    """Raised by a hook for one JSON value that does not fit."""


def structure(kind: type[T], value: Any, *, shapes: bool = False) -> T:
    """Decode a value; see :func:`codex_hookspecs.wire.decode`.

    :param shapes: whether JSON values must have the shape that their annotation says, also where they need not.
    """
    try:
        result: T = _converter(shapes).structure(value, kind)
    except (cattrs.BaseValidationError, Fault) as error:
        # Codex finds an ill-typed member while parsing and a missing one only at the end.
        faults = sorted(_faults(error, "$"), key=lambda fault: fault[0].startswith("missing field"))
        raise WireError(tuple(faults)) from error
    return result


def one_of(names: tuple[str, ...]) -> str:
    """Return a list of allowed words in the format of Codex's error texts."""
    quoted = [f"`{name}`" for name in names]
    if len(quoted) == 2:
        return f"{quoted[0]} or {quoted[1]}"
    return quoted[0] if len(quoted) == 1 else f"one of {', '.join(quoted)}"


@cache
def _converter(shapes: bool) -> cattrs.Converter:
    converter = cattrs.Converter(detailed_validation=True)
    for kind in (str, bool, int, float):
        converter.register_structure_hook(kind, _plain)
    converter.register_structure_hook_factory(_is_annotated, partial(_annotated_factory, shapes))
    converter.register_structure_hook_func(_is_word, _word)
    converter.register_structure_hook_factory(_is_union, _union_factory)
    converter.register_structure_hook_factory(_is_sequence, _sequence_factory)
    converter.register_structure_hook_factory(_is_object, _object_factory)
    converter.register_structure_hook_factory(attrs.has, _class_factory)
    return converter


def _fits(value: Any, kind: type) -> bool:
    if kind is float:
        return type(value) in (int, float)
    return type(value) is kind


def _plain(value: Any, kind: type) -> Any:
    if not _fits(value, kind):
        raise Fault(f"invalid type: {json_type_name(value)}, expected {_PLAIN[kind]}")
    if kind is int and not -(2**63) <= value < 2**63:
        raise Fault(f"invalid value: {json_type_name(value)}, expected i64")
    return value


def _is_annotated(kind: Any) -> bool:
    return get_origin(kind) is Annotated


def _annotated_factory(shapes: bool, kind: Any, converter: cattrs.Converter) -> Structure:
    bare, *marks = get_args(kind)
    for mark in marks:
        if isinstance(mark, IntegerRange):
            return lambda value, _kind: _integer(value, mark)
        if isinstance(mark, AbsolutePathMark):
            return _absolute_path
        if isinstance(mark, Shape) and (mark.validated or shapes):
            return _shaped(bare, mark, converter)
    return lambda value, _kind: converter.structure(value, bare)


def _integer(value: Any, allowed: IntegerRange) -> int:
    if type(value) is not int:
        raise Fault(f"invalid type: {json_type_name(value)}, expected {allowed.kind}")
    if not allowed.lowest <= value <= allowed.highest:
        raise Fault(f"invalid value: {json_type_name(value)}, expected {allowed.kind}")
    return value


def _absolute_path(value: Any, _kind: Any) -> str:
    if type(value) is not str:
        raise Fault(f"invalid type: {json_type_name(value)}, expected path string")
    path: str = value
    if not (path.startswith(("/", "\\\\")) or path[1:3] in (":\\", ":/")):
        raise Fault("AbsolutePathBuf deserialized without a base path")
    return path


def _shaped(bare: Any, mark: Shape, converter: cattrs.Converter) -> Structure:
    """Return a hook that validates a value by the type that describes it, and returns the value unchanged."""
    module, _, name = mark.reference.partition(":")

    def structure_shaped(value: Any, _kind: Any) -> Any:
        shape = getattr(import_module(module), name)
        if not isinstance(value, dict) and all(hasattr(member, "TYPE") for member in get_args(shape) or [shape]):
            raise Fault(f"invalid type: {json_type_name(value)}, expected internally tagged enum {name}")
        converter.structure(value, shape)
        return converter.structure(value, bare)

    return structure_shaped


def _is_word(kind: Any) -> bool:
    return get_origin(kind) is Literal


def _word(value: Any, kind: Any) -> Any:
    words = get_args(kind)
    if value in words and not isinstance(value, bool):
        return value
    if not isinstance(value, str):
        raise Fault(f"invalid type: {json_type_name(value)}, expected string or map")
    raise Fault(f"unknown variant `{value}`, expected {one_of(words)}")


def _is_object(kind: Any) -> bool:
    return get_origin(kind) is dict


def _object_factory(kind: Any, converter: cattrs.Converter) -> Structure:
    if get_args(kind)[1] is Any:
        return lambda value, _kind: _plain(value, dict)
    inner = mapping_structure_factory(kind, converter)
    return lambda value, wanted: inner(_plain(value, dict), wanted)


def _is_sequence(kind: Any) -> bool:
    return get_origin(kind) in (list, tuple)


def _sequence_factory(kind: Any, converter: cattrs.Converter) -> Structure:
    if get_origin(kind) is list:
        inner: Any = list_structure_factory(kind, converter)
    else:
        inner = homogenous_tuple_structure_factory(kind, converter)
    return lambda value, wanted: inner(_plain(value, list), wanted)


def _is_union(kind: Any) -> bool:
    return get_origin(kind) in (Union, UnionType)


def _union_factory(kind: Any, converter: cattrs.Converter) -> Structure:
    members = [member for member in get_args(kind) if member not in (type(None), Cleared)]
    inner = _tagged(members, converter) if all(hasattr(member, "TYPE") for member in members) else None
    optional = type(None) in get_args(kind)

    def structure_union(value: Any, _kind: Any) -> Any:
        if value is None and optional:
            return None
        if inner is not None:
            return inner(value, None)
        if len(members) == 1:
            return converter.structure(value, members[0])
        return _untagged(value, members, converter)

    return structure_union


def _untagged(value: Any, members: list[Any], converter: cattrs.Converter) -> Any:
    """Structure a value by the members of a union that are of its kind; the last one's faults are reported."""
    words = any(get_origin(member) is Literal for member in members)
    if words and isinstance(value, str | dict) and all(map(_is_variant, members)):
        return _variant(value, members, converter)
    candidates = [member for member in members if _may_fit(value, member)]
    for member in candidates[:-1]:
        try:
            return converter.structure(value, member)
        except (cattrs.BaseValidationError, Fault):
            continue
    if candidates:
        return converter.structure(value, candidates[-1])
    if words:
        raise Fault(f"invalid type: {json_type_name(value)}, expected string or map")
    expected = " or ".join(_PLAIN.get(get_origin(member) or member, "a map") for member in members)
    raise Fault(f"invalid type: {json_type_name(value)}, expected {expected}")


def _is_variant(member: Any) -> bool:
    return get_origin(member) is Literal or (attrs.has(member) and len(attrs.fields(member)) == 1)


def _variant(value: Any, members: list[Any], converter: cattrs.Converter) -> Any:
    """Structure a word, or an object of one member that is named like one."""
    variants: dict[str, Any] = {}
    for member in members:
        names = get_args(member) if get_origin(member) is Literal else [wire_name(attrs.fields(member)[0], member)]
        variants.update(dict.fromkeys(names, member))
    name = value if isinstance(value, str) else next(iter(value), None)
    if name is None:
        raise Fault("invalid value: map, expected map with a single key")
    if name not in variants:
        raise Fault(f"unknown variant `{name}`, expected {one_of(tuple(variants))}")
    if (get_origin(variants[name]) is Literal) is not isinstance(value, str):
        raise Fault("invalid type: unit variant, expected struct variant")
    return converter.structure(value, variants[name])


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


def _tagged(members: list[Any], converter: cattrs.Converter) -> Structure:
    classes = {member.TYPE: member for member in members}
    member = getattr(members[0], "TAG", "type")

    def structure_tagged(value: Any, _kind: Any) -> Any:
        tag = _plain(value, dict).get(member)
        if tag is None:
            raise Fault(f"missing field `{member}`")
        if type(tag) is int and tag >= 0:
            raise Fault(f"invalid value: {json_type_name(tag)}, expected variant index 0 <= i < {len(classes)}")
        if not isinstance(tag, str):
            raise Fault(f"invalid type: {json_type_name(tag)}, expected variant identifier")
        if tag not in classes:
            raise Fault(f"unknown variant `{tag}`, expected {one_of(tuple(classes))}")
        return converter.structure(value, classes[tag])

    return structure_tagged


def _class_factory(kind: Any, converter: cattrs.Converter) -> Structure:
    attrs.resolve_types(kind)
    overrides: Any = {
        field.name: override(
            rename=wire_name(field, kind),
            omit=is_local(field),
            struct_hook=partial(_clearable, converter) if is_clearable(field) else None,
        )
        for field in attrs.fields(kind)
    }
    inner = make_dict_structure_fn(kind, converter, **overrides)
    optional = frozenset(
        wire_name(field, kind)
        for field in attrs.fields(kind)
        if field.default is not attrs.NOTHING and not is_clearable(field)
    )

    def structure_class(value: Any, wanted: Any) -> Any:
        if not isinstance(value, dict):
            raise Fault(f"invalid type: {json_type_name(value)}, expected struct {kind.__name__}")
        given = {name: part for name, part in value.items() if part is not None or name not in optional}
        return inner(given, wanted)

    return structure_class


def _clearable(converter: cattrs.Converter, value: Any, kind: Any) -> Any:
    return CLEARED if value is None else converter.structure(value, kind)


def _faults(error: BaseException, path: str) -> Iterator[tuple[str, str]]:
    """Yield the faults in a group of validation errors, with paths from the notes of cattrs."""
    if isinstance(error, ClassValidationError):
        noted, bare = error.group_exceptions()
        names = {field.name: wire_name(field, error.cl) for field in attrs.fields(error.cl)}
        for part, note in noted:
            place = path if isinstance(part, KeyError) else f"{path}.{names[note.name]}"
            yield from _faults(part, place)
        for part in bare:
            yield from _faults(part, path)
    elif isinstance(error, IterableValidationError):
        indexed, bare = error.group_exceptions()
        for part, index_note in indexed:
            yield from _faults(part, f"{path}[{index_note.index}]")
        for part in bare:
            yield from _faults(part, path)
    elif isinstance(error, KeyError):
        yield f"missing field `{error.args[0]}`", path
    else:
        yield str(error), path
