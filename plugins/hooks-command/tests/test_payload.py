from __future__ import annotations

import json
from typing import Any

import pytest

from codex_hooks_command.events import Event
from codex_hooks_command.payload import build_line

BASE = "session_id turn_id transcript_path cwd hook_event_name model permission_mode"
AGENT = "session_id turn_id agent_id agent_type transcript_path cwd hook_event_name model permission_mode"
REQUEST = "session_id turn_id cwd transcript_path model hook_event_name"
EVERYTHING: dict[str, Any] = {
    "session_id": "s",
    "turn_id": "t",
    "transcript_path": None,
    "cwd": "/w",
    "model": "m",
    "permission_mode": "default",
    "source": "startup",
    "prompt": "p",
    "tool_name": "Bash",
    "tool_input": {"command": "ls"},
    "tool_response": "",
    "tool_use_id": "c",
    "stop_hook_active": False,
    "last_assistant_message": None,
    "agent_transcript_path": None,
    "trigger": "auto",
    "status": "completed",
    "error": None,
    "token_usage": None,
    "reason": "other",
}


@pytest.mark.parametrize(
    ("event", "keys"),
    [
        (Event.SESSION_START, "session_id transcript_path cwd hook_event_name model permission_mode source"),
        (Event.USER_PROMPT_SUBMIT, f"{BASE} prompt"),
        (Event.PRE_TOOL_USE, f"{BASE} tool_name tool_input tool_use_id"),
        (Event.PERMISSION_REQUEST, f"{BASE} tool_name tool_input"),
        (Event.POST_TOOL_USE, f"{BASE} tool_name tool_input tool_response tool_use_id"),
        (Event.STOP, f"{BASE} stop_hook_active last_assistant_message"),
        (Event.PRE_COMPACT, "session_id turn_id transcript_path cwd hook_event_name model trigger"),
        (Event.POST_COMPACT, "session_id turn_id transcript_path cwd hook_event_name model trigger"),
        (Event.PRE_MODEL_REQUEST, REQUEST),
        (Event.POST_MODEL_REQUEST, f"{REQUEST} status error token_usage"),
        (Event.INTERRUPT, BASE),
        (Event.SESSION_END, "session_id transcript_path cwd hook_event_name reason"),
    ],
)
def test_each_event_has_its_keys_in_order(event: Event, keys: str) -> None:
    line = build_line(event, EVERYTHING)

    assert list(json.loads(line)) == keys.split()
    assert json.loads(line)["hook_event_name"] == event.spec.name
    assert line.endswith(b"}\n")
    assert line.count(b"\n") == 1


@pytest.mark.parametrize(
    ("event", "keys"),
    [
        (Event.USER_PROMPT_SUBMIT, f"{AGENT} prompt"),
        (Event.PRE_TOOL_USE, f"{AGENT} tool_name tool_input tool_use_id"),
        (Event.STOP, f"{BASE} stop_hook_active last_assistant_message"),
        (Event.SUBAGENT_START, f"{BASE} agent_id agent_type"),
        (
            Event.SUBAGENT_STOP,
            BASE.replace("cwd", "agent_transcript_path cwd")
            + " stop_hook_active agent_id agent_type last_assistant_message",
        ),
    ],
)
def test_a_subagent_is_named(event: Event, keys: str) -> None:
    line = build_line(event, {**EVERYTHING, "agent_id": "a", "agent_type": "worker"})

    assert list(json.loads(line)) == keys.split()


def test_text_stays_readable_and_on_one_line() -> None:
    line = build_line(Event.USER_PROMPT_SUBMIT, {**EVERYTHING, "prompt": "grüße\nan alle"})

    assert '"prompt":"grüße\\nan alle"'.encode() in line


def test_token_usage_has_all_six_numbers() -> None:
    usage = {"total_tokens": 3, "input_tokens": 1, "output_tokens": 2, "other": 9}

    sent = json.loads(build_line(Event.POST_MODEL_REQUEST, {**EVERYTHING, "token_usage": usage}))["token_usage"]

    assert sent == {
        "input_tokens": 1,
        "cached_input_tokens": 0,
        "cache_write_input_tokens": 0,
        "output_tokens": 2,
        "reasoning_output_tokens": 0,
        "total_tokens": 3,
    }
