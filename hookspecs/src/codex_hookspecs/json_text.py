"""Parse untrusted JSON strictly: rejects too deep nesting and non-finite numbers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

__all__ = [
    "DEPTH",
    "JsonError",
    "PairsHook",
    "TooDeep",
    "parse_json",
]

DEPTH: Final = 127
"""Most nested levels of arrays and objects (the limit of Codex's parser)."""

_BOM: Final = "\ufeff"

PairsHook = Callable[[list[tuple[str, Any]]], Any]


class JsonError(ValueError):
    """Raised for text that is not JSON."""


class TooDeep(JsonError):
    """Raised for JSON that is nested deeper than ``DEPTH``."""

    def __init__(self) -> None:
        super().__init__("recursion limit exceeded")


def parse_json(text: bytes | str, *, object_pairs_hook: PairsHook | None = None) -> Any:
    """Return the value of a JSON document; a byte order mark is accepted.

    :param object_pairs_hook: as of ``json.loads``.
    :raises JsonError: when it is not JSON, or contains ``NaN`` or ``Infinity``.
    :raises TooDeep: when it is nested deeper than ``DEPTH``.
    """
    hook = object_pairs_hook
    decoder = _DECODER if hook is None else json.JSONDecoder(object_pairs_hook=hook, parse_constant=_refuse)
    try:
        text = (text if isinstance(text, str) else text.decode("utf-8")).removeprefix(_BOM)
        value = decoder.decode(text)
    except RecursionError:
        raise TooDeep from None
    except ValueError as error:
        raise JsonError(str(error)) from error
    if len(text) > 2 * DEPTH and _depth(value) > DEPTH:
        raise TooDeep
    return value


def _depth(value: Any) -> int:
    """Return the depth of nested containers, counting to at most one more than allowed."""
    depth = 0
    level = [value] if isinstance(value, (dict, list)) else []
    while level and depth <= DEPTH:
        depth += 1
        level = [
            part
            for container in level
            for part in (container.values() if isinstance(container, dict) else container)
            if isinstance(part, (dict, list))
        ]
    return depth


def _refuse(constant: str) -> Any:
    raise JsonError(f"{constant} is not JSON")


_DECODER: Final = json.JSONDecoder(parse_constant=_refuse)
