"""Read JSON from outside: an error for everything that is none, also for what is nested too deeply or not finite."""

from __future__ import annotations

import json
from typing import Any, Final

DEPTH: Final = 127
"""How deep arrays and objects may stand in each other; the limit of the public program's reader."""

_BOM: Final = b"\xef\xbb\xbf"


class JsonError(ValueError):
    """Raised for text that is no JSON; says what is wrong."""


def parse_json(text: bytes | str) -> Any:
    """Return the value of a JSON document.

    :raises JsonError: when it is none, is nested deeper than ``DEPTH``, or holds ``NaN`` or ``Infinity``.
    """
    try:
        if isinstance(text, bytes):
            text = text.removeprefix(_BOM).decode("utf-8")
        value = _DECODER.decode(text)
    except RecursionError:
        raise JsonError("recursion limit exceeded") from None
    except ValueError as error:
        raise JsonError(str(error)) from error
    if len(text) > 2 * DEPTH and _depth(value) > DEPTH:
        raise JsonError("recursion limit exceeded")
    return value


def _depth(value: Any) -> int:
    """Return how deep containers stand in each other, up to one more than is allowed."""
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
