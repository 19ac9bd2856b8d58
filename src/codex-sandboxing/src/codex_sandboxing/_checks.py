"""Check members of decoded documents; errors name the member and show its value."""

from __future__ import annotations

import os

from codex_hookspecs.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_SHOWN = 60


def mapping(document: Any, what: str) -> Mapping[str, Any]:
    """Return a document that is an object."""
    if not isinstance(document, dict):
        raise ConfigError(f"{what} is {shown(document)}, expected an object")
    return document


def word(document: Mapping[str, Any], key: str, allowed: tuple[str, ...], what: str) -> str:
    """Return a member that is one of some words."""
    value = document.get(key)
    if value not in allowed:
        found = "missing" if value is None else shown(value)
        raise ConfigError(f"{key} of {what} is {found}, allowed: {', '.join(allowed)}")
    return str(value)


def flag(document: Mapping[str, Any], key: str, what: str, *, default: bool = False) -> bool:
    """Return a member that is true or false."""
    value = document.get(key, default)
    if not isinstance(value, bool):
        raise ConfigError(f"{key} of {what} is {shown(value)}, expected true or false")
    return value


def absolute_paths(document: Mapping[str, Any], key: str, what: str) -> tuple[str, ...]:
    """Return a member that is a list of absolute paths; empty when it is missing or null."""
    paths = document.get(key)
    if paths is None:
        return ()
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        raise ConfigError(f"{key} of {what} is {shown(paths)}, expected a list of absolute paths")
    for path in paths:
        if not os.path.isabs(path):
            raise ConfigError(f"{key} of {what} has {path!r}, allowed are absolute paths")
        if "\0" in path:
            raise ConfigError(f"{key} of {what} has {path!r}, which contains a NUL byte")
    return tuple(paths)


def shown(value: Any) -> str:
    """Return a value as errors show it, shortened."""
    import json

    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."
