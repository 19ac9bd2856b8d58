"""Types of decoded JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NewType, TypeAlias

JsonValue: TypeAlias = "bool | int | float | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"
JsonObject: TypeAlias = dict[str, Any]
"""A decoded JSON object that is passed on unchanged: response items, tool schemas, configuration tables."""

Unsigned = NewType("Unsigned", int)
"""An unsigned 32-bit integer."""
