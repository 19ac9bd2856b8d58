"""Handle dotted keys, nested tables and the values of ``-c key=value``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from codex_hookspecs.errors import ConfigError
from codex_hookspecs.file_reading import MAX_DEPTH, TooDeep, parse_toml

_MISSING = object()


def split_key(key: str) -> list[str]:
    """Split a dotted key; parts in double quotes may hold dots, and quotes that are written twice.

    :raises ConfigError: when a part is empty, a quote is not closed or there are too many parts.
    """
    parts = _quoted_parts(key) if '"' in key else key.split(".")
    if not all(part.strip() for part in parts):
        raise ConfigError(f"{key[:80]!r} is not a key; write it as name or table.name")
    if len(parts) > MAX_DEPTH:
        raise ConfigError(f"the key {key[:80]!r}… has more than {MAX_DEPTH} parts")
    return [part.strip() for part in parts]


def _quoted_parts(key: str) -> list[str]:
    parts, current, quoted, closed = [], "", False, False
    for character in key:
        if character == '"':
            quoted = not quoted
            # The second of two: the first one seemed to close the part.
            current += '"' * (quoted and closed)
            closed = not quoted
            continue
        closed = False
        if character == "." and not quoted:
            parts.append(current)
            current = ""
        else:
            current += character
    if quoted:
        raise ConfigError(f"{key!r} has a quote that is not closed")
    return [*parts, current]


def parse_override(text: str) -> tuple[str, Any]:
    """Parse ``key=value``: the value is TOML where it can be, else the text itself.

    :raises ConfigError: when there is no ``=`` or no key.
    """
    equals = next((at for at, mark in enumerate(text) if mark == "=" and text.count('"', 0, at) % 2 == 0), 0)
    key = text[:equals].strip()
    if not key:
        raise ConfigError(f"{text!r} is not of the form key=value", source="-c")
    split_key(key)
    return key, parse_value(text[equals + 1 :].strip())


def parse_value(text: str) -> Any:
    """Return a TOML value, or the text itself when it is none.

    :raises ConfigError: when tables and lists are nested too deep.
    """
    if text in ("true", "false"):
        return text == "true"
    if text.isalnum() and not text[:1].isdigit():
        return text
    try:
        table = parse_toml(f"value = {text}")
    except TooDeep as error:
        raise ConfigError(f"the value is {error}", source="-c") from error
    except ValueError:
        return text
    return table["value"] if len(table) == 1 else text


def nested(dotted: Mapping[str, Any]) -> dict[str, Any]:
    """Return nested tables for dotted keys; later keys win."""
    table: dict[str, Any] = {}
    for key, value in dotted.items():
        *path, last = split_key(key)
        inner = table
        for part in path:
            following = inner.get(part)
            if not isinstance(following, dict):
                following = inner[part] = {}
            inner = following
        inner[last] = (
            merge(inner[last], value) if isinstance(inner.get(last), dict) and isinstance(value, dict) else value
        )
    return table


def merge(low: Mapping[str, Any], high: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one table over another: tables merge by key, everything else is replaced."""
    result = dict(low)
    for key, value in high.items():
        below = result.get(key)
        result[key] = merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return result


def lookup(table: Mapping[str, Any], key: str, default: Any = None) -> Any:
    """Return the value of a dotted key in nested tables."""
    value: Any = table
    for part in split_key(key):
        value = value.get(part, _MISSING) if isinstance(value, dict) else _MISSING
        if value is _MISSING:
            return default
    return value


def leaves(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Iterate dotted keys and values of nested tables."""
    for key, value in table.items():
        name = f'{prefix}"{key}"' if "." in key else f"{prefix}{key}"
        if isinstance(value, dict) and value:
            yield from leaves(value, f"{name}.")
        else:
            yield name, value
