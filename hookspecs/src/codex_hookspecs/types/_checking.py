"""Validate the fields of values that plugins create, at construction.

The rules are derived from the annotations when the first instance of a class is created.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Literal, Union, get_args, get_origin

Fits = Callable[[Any], bool]

_rules: dict[type, list[tuple[str, Fits, str]]] = {}
_PLAIN = {str: "text", int: "a number", bool: "true or false", float: "a number", dict: "a table", type(None): "None"}


class Checked:
    """Base of values whose fields are validated at construction.

    Lists are accepted for tuples.
    """

    def __attrs_post_init__(self) -> None:
        cls = type(self)
        for name, fits, allowed in _rules.get(cls) or _rules_of(cls):
            value = getattr(self, name)
            if fits(value):
                continue
            if type(value) is list and fits(tuple(value)):
                object.__setattr__(self, name, tuple(value))
                continue
            raise TypeError(f"{cls.__name__}: {name} is {_format(value)}, allowed is {allowed}")


def _rules_of(cls: type) -> list[tuple[str, Fits, str]]:
    from inspect import get_annotations

    found: list[tuple[str, Fits, str]] = []
    for base in reversed(cls.__mro__):
        if base is object or base is Checked:
            continue
        names = vars(sys.modules[base.__module__])
        for name, written in get_annotations(base).items():
            kind = _resolved(written, names)
            rule = _rule(kind)
            if rule is not None:
                found.append((name, *rule))
    _rules[cls] = found
    return found


def _resolved(written: Any, names: dict[str, Any]) -> Any:
    """Resolve an annotation; one that only type checkers can resolve allows anything."""
    if not isinstance(written, str):
        return written
    try:
        return eval(written, names)  # noqa: S307  (our own annotations)
    except NameError:
        return Any


def _rule(kind: Any) -> tuple[Fits, str] | None:
    """Return the predicate of a type with its description; ``None`` if every value is allowed."""
    if kind is Any:
        return None
    origin, arguments = get_origin(kind), get_args(kind)
    if hasattr(kind, "__metadata__"):
        return _rule(kind.__origin__)
    if origin is Literal:
        words = ", ".join(map(repr, arguments))
        return (lambda value: isinstance(value, str) and value in arguments), f"one of {words}"
    if origin is tuple:
        part = _rule(arguments[0])
        if part is None:
            return (lambda value: isinstance(value, tuple)), "a tuple"
        inner, said = part
        return (lambda value: isinstance(value, tuple) and all(map(inner, value))), f"a tuple of {said}"
    if origin is dict:
        return _table(arguments)
    if origin is Union or type(kind).__name__ == "UnionType":
        return _union(arguments)
    if origin is not None and callable(origin) and origin.__name__ == "Callable":
        return callable, "a function"
    plain = origin or kind
    if not isinstance(plain, type):
        return None
    if plain in (int, float):
        kinds = (int,) if plain is int else (int, float)
        return (lambda value: isinstance(value, kinds) and not isinstance(value, bool)), "a number"
    return (lambda value: isinstance(value, plain)), _PLAIN.get(plain, plain.__name__)


def _table(arguments: tuple[Any, ...]) -> tuple[Fits, str]:
    rules = [_rule(argument) for argument in arguments]
    if None in rules:
        return (lambda value: isinstance(value, dict)), "a table"
    (is_key, key), (is_value, value) = (rule for rule in rules if rule is not None)
    return (
        lambda table: isinstance(table, dict) and all(map(is_key, table)) and all(map(is_value, table.values()))
    ), f"a table with {value} for {key}"


def _union(arguments: tuple[Any, ...]) -> tuple[Fits, str] | None:
    rules = [_rule(argument) for argument in arguments if argument is not type(None)]
    if any(rule is None for rule in rules):
        return None
    fits = [rule[0] for rule in rules if rule is not None]
    words = [rule[1] for rule in rules if rule is not None]
    empty = type(None) in arguments
    if empty:
        words.append("None")
    return (lambda value: (empty and value is None) or any(fit(value) for fit in fits)), " or ".join(words)


def reason_of(value: str, *, of: str) -> str:
    """Validate the text of a reason.

    :param of: what the reason is for, for the error.
    :raises TypeError: when it is not text.
    """
    if not isinstance(value, str):
        raise TypeError(f"{of}: the reason is {_format(value)}, allowed is text")
    return value


def _format(value: Any) -> str:
    try:
        text = repr(value)
    except Exception:
        text = type(value).__name__
    return text if len(text) <= 80 else f"{text[:80]}…"
