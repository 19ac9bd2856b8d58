"""Check that the members of decoded items have their declared types."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from inspect import get_annotations
from typing import Any, TypeVar

import attrs

from codex_hookspecs.protocol import FileUpdateChange, HookPromptFragment

T = TypeVar("T")

Check = Callable[[Any], bool]

_DECLARED: dict[str, type] = {
    "str": str,
    "int": int,
    "Signed32": int,
    "bool": bool,
    "HookPromptFragment": HookPromptFragment,
    "FileUpdateChange": FileUpdateChange,
}


def check_types(value: T) -> T:
    """Check the types of an item's members and return the item.

    :raises TypeError: when a member does not have its declared type.
    """
    if not _matches(value):
        raise TypeError(f"a member of {type(value).__name__} has a wrong type")
    return value


@cache
def _checks(kind: Any) -> tuple[tuple[str, Check], ...]:
    # The annotations as written in the source; types resolved by ``attrs.resolve_types`` depend on who decoded first.
    written = {name: text for cls in reversed(kind.__mro__) for name, text in get_annotations(cls).items()}
    return tuple((each.name, check) for each in attrs.fields(kind) if (check := _check(written[each.name])))


def _check(declared: str) -> Check | None:
    plain = declared.removesuffix(" | None")
    check = _plain_check(plain)
    return check if check is None or plain == declared else lambda value: value is None or check(value)


def _plain_check(declared: str) -> Check | None:
    if declared == "Any":
        return None
    part = declared.removeprefix("tuple[").removesuffix(", ...]")
    # JSON objects of known shape are named "…Object"; all others are strings or literals of strings.
    kind = dict if part.endswith("Object") or part.startswith("dict[") else _DECLARED.get(part, str)
    if part == declared:
        return lambda value: isinstance(value, kind)
    if part in ("HookPromptFragment", "FileUpdateChange"):
        return lambda value: isinstance(value, tuple) and all(isinstance(one, kind) and _matches(one) for one in value)
    return lambda value: isinstance(value, tuple) and all(isinstance(one, kind) for one in value)


def _matches(value: Any) -> bool:
    kind: Any = type(value)
    return all(check(getattr(value, name)) for name, check in _checks(kind))
