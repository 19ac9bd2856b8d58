"""Parse the arguments of ``update_plan``; error messages are those of Codex 0.118."""

from __future__ import annotations

from typing import Any, Literal

from codex_hookspecs.errors import ToolError
from codex_hookspecs.json_text import parse_json
from codex_hookspecs.protocol import PlanStep
from codex_hookspecs.wire import json_type_name

_STATUS: dict[str, Literal["pending", "inProgress", "completed"]] = {
    "pending": "pending",
    "in_progress": "inProgress",
    "completed": "completed",
}


def parse_plan(arguments: str) -> tuple[str | None, tuple[PlanStep, ...]]:
    """Return explanation and steps.

    :raises ToolError: when the arguments are invalid.
    """
    try:
        value = parse_json(arguments)
    except ValueError as error:
        raise _invalid(str(error)) from error
    table = _table(value, "UpdatePlanArgs", allowed=("explanation", "plan"), required=("plan",))
    explanation = table.get("explanation")
    if explanation is not None:
        _expect(explanation, str, "a string")
    _expect(table["plan"], list, "a sequence")
    return explanation, tuple(_step(entry) for entry in table["plan"])


def _step(value: Any) -> PlanStep:
    table = _table(value, "PlanItemArg", allowed=("step", "status"), required=("step", "status"))
    _expect(table["step"], str, "a string")
    _expect(table["status"], str, "a string")
    status = _STATUS.get(table["status"])
    if status is None:
        known = ", ".join(f"`{name}`" for name in _STATUS)
        raise _invalid(f"unknown variant `{table['status']}`, expected one of {known}")
    return PlanStep(table["step"], status)


def _table(value: Any, name: str, *, allowed: tuple[str, str], required: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _invalid(f"invalid type: {json_type_name(value)}, expected struct {name}")
    for key in value:
        if key not in allowed:
            raise _invalid(f"unknown field `{key}`, expected `{allowed[0]}` or `{allowed[1]}`")
    for key in required:
        if key not in value:
            raise _invalid(f"missing field `{key}`")
    return value


def _expect(value: Any, kind: type, words: str) -> None:
    if not isinstance(value, kind):
        raise _invalid(f"invalid type: {json_type_name(value)}, expected {words}")


def _invalid(message: str) -> ToolError:
    return ToolError(f"failed to parse function arguments: {message}")
