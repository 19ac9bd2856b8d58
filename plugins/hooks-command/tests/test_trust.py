from __future__ import annotations

import json
from typing import Any

import pytest

from codex_hooks_command import trust
from codex_hooks_command.handlers import Handler, HookSource
from codex_hooks_command.parsing import parse_json
from codex_hooks_command.trust import Acceptance

PROJECT = HookSource(path="/p/.codex/hooks.json", key="/p/.codex/hooks.json", kind="project")
USER = HookSource(path="/h/hooks.json", key="/h/hooks.json", kind="user")
SYSTEM = HookSource(path="/etc/codex/hooks.json", key="/etc/codex/hooks.json", kind="system")


HASH = "sha256:2ba34c7a02841fada06b868a093d041fd3d9de81883c789a321916b0aa118851"


def handler(event: str, *, matcher: str | None = None, **keys: Any) -> Handler:
    group = {"hooks": [{"type": "command", "command": "true", **keys}], "matcher": matcher}
    return parse_json(json.dumps({"hooks": {event: [group]}}), "F").handlers[0]


@pytest.mark.parametrize(
    ("event", "keys", "beginning"),
    [
        ("Stop", {}, "2ba34c7a02841fada06b868a093d041fd3d9de81883c789a321916b0aa118851"),
        ("Stop", {"matcher": "x"}, "2ba34c7a0284"),
        ("Stop", {"timeout": None, "statusMessage": None, "timeoutSec": 5, "commandWindows": "a"}, "2ba34c7a0284"),
        ("PreToolUse", {}, "a7de97b60e14"),
        ("PreToolUse", {"matcher": ""}, "189a2dab8752"),
        ("PreToolUse", {"matcher": "Bash", "additionalContextLimit": 2500}, "39057ebd30cc"),
        ("PreToolUse", {"matcher": "Bash", "additionalContextLimit": 20}, "2553f9d29c33"),
        ("SessionStart", {"matcher": "startup", "command": "echo asyncctx", "async": True}, "8ffec03991cc"),
        ("SessionEnd", {"matcher": "x", "timeout": 5}, "661db49074ca"),
        ("Interrupt", {"timeout": 50}, "461557090d38"),
        ("SubagentStop", {"matcher": "x"}, "e3fc7dca3235"),
    ],
)
def test_hashes_are_those_of_codex_0_169(event: str, keys: dict[str, Any], beginning: str) -> None:
    assert trust.hash_of(handler(event, **keys)).startswith(f"sha256:{beginning}")


def test_the_key_names_file_event_group_and_handler() -> None:
    assert trust.key_of(USER, handler("SessionStart")) == "/h/hooks.json:session_start:0:0"


def test_hooks_outside_of_projects_are_trusted_by_location() -> None:
    assert trust.trust_status(SYSTEM, handler("Stop"), Acceptance()) == "managed"
    assert trust.trust_status(USER, handler("Stop"), Acceptance()) == "trusted"


@pytest.mark.parametrize(
    ("accepted", "status", "message"),
    [
        (Acceptance(), "untrusted", "it is not trusted"),
        (Acceptance(HASH), "trusted", None),
        (Acceptance("other"), "modified", "it has changed since it was trusted"),
        (Acceptance(HASH, enabled=False), "trusted", "it is switched off"),
    ],
)
def test_a_hook_of_a_project_runs_when_its_hash_was_accepted(
    accepted: Acceptance, status: str, message: str | None
) -> None:
    trust_status = trust.trust_status(PROJECT, handler("Stop"), accepted)
    reason = trust.skip_reason("K", PROJECT, accepted, trust_status, bypass=False)

    assert trust_status == status
    assert reason is None if message is None else (reason or "").startswith(message)
    assert reason is None or "codex hooks trust 'K'" in reason


def test_bypassing_runs_unreviewed_hooks_but_not_disabled_ones_or_those_of_untrusted_projects() -> None:
    foreign = HookSource(path="f", key="f", kind="project", disabled="/p is not trusted")

    assert trust.skip_reason("K", PROJECT, Acceptance(), "untrusted", bypass=True) is None
    assert trust.skip_reason("K", PROJECT, Acceptance(enabled=False), "untrusted", bypass=True)
    assert trust.skip_reason("K", foreign, Acceptance(), "untrusted", bypass=True) == "/p is not trusted"
