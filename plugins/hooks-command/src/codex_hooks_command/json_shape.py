"""Validate the JSON output of a handler against the schema of its event, naming the invalid key (Codex 0.169)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from codex_hooks_command.events import EVENTS_BY_NAME, Event
from codex_hookspecs.json_text import parse_json

Fault = tuple[str, str]
"""The path of a key, empty for the object itself, and what is wrong there."""
Check = Callable[[Any], "Fault | None"]


def read_object(event: Event, text: str) -> tuple[dict[str, Any] | None, str]:
    """Parse and validate the output of a handler.

    :param text: stripped standard output.
    :return: the object and ``""``, or ``None`` and the error.
    """
    try:
        document = parse_json(text)
    except ValueError as error:
        return None, f"not valid JSON ({error})"
    fault = _SHAPES[event](document)
    if fault is None:
        return document, ""
    path, problem = fault
    return None, f"{path} {problem}" if path else problem


def _flag(value: Any) -> Fault | None:
    return None if isinstance(value, bool) else ("", "must be true or false")


def _text(value: Any) -> Fault | None:
    return None if value is None or isinstance(value, str) else ("", "must be a string")


def _anything(_value: Any) -> Fault | None:
    return None


def _one_of(*words: str) -> Check:
    allowed = " or ".join(f'"{word}"' for word in words)

    def check(value: Any) -> Fault | None:
        if value is None or (isinstance(value, str) and value in words):
            return None
        return "", f"must be {allowed}, found {json.dumps(value, ensure_ascii=False)}"

    return check


def _event_name(value: Any) -> Fault | None:
    if isinstance(value, str) and value in EVENTS_BY_NAME:
        return None
    return "", f"must be the name of an event, found {json.dumps(value, ensure_ascii=False)}"


def _object(keys: Mapping[str, Check], *, required: str | None = None, nullable: bool = True) -> Check:
    def check(value: Any) -> Fault | None:
        if value is None and nullable:
            return None
        if not isinstance(value, dict):
            return "", "must be an object"
        for key, inner in value.items():
            if key not in keys:
                return "", f'unknown key "{key}"'
            if (fault := keys[key](inner)) is not None:
                path, problem = fault
                return (f"{key}.{path}" if path else key), problem
        if required is not None and value.get(required) is None:
            return "", f'missing key "{required}"'
        return None

    return check


_UNIVERSAL: dict[str, Check] = {"continue": _flag, "stopReason": _text, "suppressOutput": _flag, "systemMessage": _text}
_BLOCK: dict[str, Check] = {"decision": _one_of("block"), "reason": _text}


def _specific(**keys: Check) -> dict[str, Check]:
    return {"hookSpecificOutput": _object({"hookEventName": _event_name, **keys}, required="hookEventName")}


_ANSWER = _object(
    {
        "behavior": _one_of("allow", "deny"),
        "updatedInput": _anything,
        "updatedPermissions": _anything,
        "message": _text,
        "interrupt": _flag,
    },
    required="behavior",
)
_KEYS: dict[Event, dict[str, Check]] = {
    Event.SESSION_START: {**_UNIVERSAL, **_specific(additionalContext=_text)},
    Event.SUBAGENT_START: {**_UNIVERSAL, **_specific(additionalContext=_text)},
    Event.USER_PROMPT_SUBMIT: {**_UNIVERSAL, **_BLOCK, **_specific(additionalContext=_text)},
    Event.PRE_TOOL_USE: {
        **_UNIVERSAL,
        "decision": _one_of("approve", "block"),
        "reason": _text,
        **_specific(
            permissionDecision=_one_of("allow", "deny", "ask"),
            permissionDecisionReason=_text,
            updatedInput=_anything,
            additionalContext=_text,
        ),
    },
    Event.PERMISSION_REQUEST: {**_UNIVERSAL, **_specific(decision=_ANSWER)},
    Event.POST_TOOL_USE: {
        **_UNIVERSAL,
        **_BLOCK,
        **_specific(additionalContext=_text, updatedMCPToolOutput=_anything),
    },
    Event.STOP: {**_UNIVERSAL, **_BLOCK},
    Event.SUBAGENT_STOP: {**_UNIVERSAL, **_BLOCK},
    Event.PRE_COMPACT: _UNIVERSAL,
    Event.POST_COMPACT: _UNIVERSAL,
    Event.INTERRUPT: {"systemMessage": _text},
}
_SHAPES = {event: _object(keys, nullable=False) for event, keys in _KEYS.items()}
