"""Build the JSON line for the standard input of a handler (format of Codex 0.169)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from codex_hooks_command.events import Event

_BASE = ("session_id", "turn_id", "agent_id", "agent_type", "transcript_path", "cwd", "hook_event_name", "model")
_BASE_MODE = (*_BASE, "permission_mode")
_REQUEST = ("session_id", "turn_id", "cwd", "transcript_path", "model", "hook_event_name")
_TOOL = (*_BASE_MODE, "tool_name", "tool_input")
_AGENT = ("session_id", "turn_id", "transcript_path", "cwd", "hook_event_name", "model", "permission_mode")

_KEYS: dict[Event, tuple[str, ...]] = {
    Event.SESSION_START: (
        "session_id",
        "transcript_path",
        "cwd",
        "hook_event_name",
        "model",
        "permission_mode",
        "source",
    ),
    Event.USER_PROMPT_SUBMIT: (*_BASE_MODE, "prompt"),
    Event.PRE_TOOL_USE: (*_TOOL, "tool_use_id"),
    Event.PERMISSION_REQUEST: _TOOL,
    Event.POST_TOOL_USE: (*_TOOL, "tool_response", "tool_use_id"),
    Event.STOP: (*_AGENT, "stop_hook_active", "last_assistant_message"),
    Event.SUBAGENT_START: (*_AGENT, "agent_id", "agent_type"),
    Event.SUBAGENT_STOP: (
        "session_id",
        "turn_id",
        "transcript_path",
        "agent_transcript_path",
        "cwd",
        "hook_event_name",
        "model",
        "permission_mode",
        "stop_hook_active",
        "agent_id",
        "agent_type",
        "last_assistant_message",
    ),
    Event.PRE_COMPACT: (*_BASE, "trigger"),
    Event.POST_COMPACT: (*_BASE, "trigger"),
    Event.PRE_MODEL_REQUEST: _REQUEST,
    Event.POST_MODEL_REQUEST: (*_REQUEST, "status", "error", "token_usage"),
    Event.INTERRUPT: _AGENT,
    Event.SESSION_END: ("session_id", "transcript_path", "cwd", "hook_event_name", "reason"),
}
_NULLABLE = frozenset({"transcript_path", "agent_transcript_path", "last_assistant_message", "error", "token_usage"})
_TOKEN_KEYS = (
    "input_tokens",
    "cached_input_tokens",
    "cache_write_input_tokens",
    "output_tokens",
    "reasoning_output_tokens",
    "total_tokens",
)


def build_line(event: Event, values: Mapping[str, Any]) -> bytes:
    """Return the JSON line for an event.

    :param values: values by payload key; keys that do not belong to the event are ignored. Missing values are omitted,
        except for keys that may be ``null``.
    """
    known = {**values, "hook_event_name": event.spec.name}
    payload = {key: known.get(key) for key in _KEYS[event] if known.get(key) is not None or key in _NULLABLE}
    if (usage := payload.get("token_usage")) is not None:
        payload["token_usage"] = {key: usage.get(key, 0) for key in _TOKEN_KEYS}
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace") + b"\n"
