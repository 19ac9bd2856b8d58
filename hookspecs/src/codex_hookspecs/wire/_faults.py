"""Describe JSON values in error messages."""

from __future__ import annotations

import json
from typing import Any


def json_type_name(value: Any) -> str:
    """Return the description of an unexpected JSON value in Codex's error texts."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return f"boolean `{json.dumps(value)}`"
    if isinstance(value, int):
        return f"integer `{value}`"
    if isinstance(value, float):
        return f"floating point `{value}`"
    if isinstance(value, str):
        return f"string {json.dumps(value, ensure_ascii=False)}"
    return "sequence" if isinstance(value, list) else "map"
