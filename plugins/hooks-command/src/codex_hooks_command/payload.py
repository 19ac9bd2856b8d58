"""Build the JSON line that a handler reads on its standard input (format of Codex 0.169)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .events import Event

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


def line_for(event: Event, facts: Mapping[str, Any]) -> bytes:
    """Return the one line of JSON for an event.

    :param facts: values by payload key; keys that the event does not carry are left out, and so is a missing value
        unless the key is always there.
    """
    known = {**facts, "hook_event_name": event.facts.name}
    payload = {key: known.get(key) for key in _KEYS[event] if known.get(key) is not None or key in _NULLABLE}
    if (usage := payload.get("token_usage")) is not None:
        payload["token_usage"] = {key: usage.get(key, 0) for key in _TOKEN_KEYS}
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace") + b"\n"
