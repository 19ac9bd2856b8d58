"""Name the shapes of decoded JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NewType, TypeAlias

JsonValue: TypeAlias = "bool | int | float | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"
JsonObject: TypeAlias = dict[str, Any]
"""A decoded JSON object that is kept as it came: response items of a model, tool schemas, configuration tables."""

Unsigned = NewType("Unsigned", int)
"""A whole number that is not negative and fits 32 bits."""
