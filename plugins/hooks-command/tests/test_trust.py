from __future__ import annotations

import json
from typing import Any

import pytest

from codex_hooks_command import trust
from codex_hooks_command.handlers import Handler, Origin
from codex_hooks_command.parsing import parse_json
from codex_hooks_command.trust import Accepted

PROJECT = Origin(path="/p/.codex/hooks.json", key="/p/.codex/hooks.json", source="project")
USER = Origin(path="/h/hooks.json", key="/h/hooks.json", source="user")
SYSTEM = Origin(path="/etc/codex/hooks.json", key="/etc/codex/hooks.json", source="system")


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


def test_what_is_not_the_projects_is_trusted_by_its_place() -> None:
    assert trust.standing(SYSTEM, handler("Stop"), Accepted()) == "managed"
    assert trust.standing(USER, handler("Stop"), Accepted()) == "trusted"


@pytest.mark.parametrize(
    ("accepted", "status", "said"),
    [
        (Accepted(), "untrusted", "it is not trusted"),
        (Accepted(HASH), "trusted", None),
        (Accepted("other"), "modified", "it has changed since it was trusted"),
        (Accepted(HASH, enabled=False), "trusted", "it is switched off"),
    ],
)
def test_a_hook_of_a_project_runs_when_its_hash_was_accepted(accepted: Accepted, status: str, said: str | None) -> None:
    standing = trust.standing(PROJECT, handler("Stop"), accepted)
    reason = trust.refusal("K", PROJECT, accepted, standing, bypass=False)

    assert standing == status
    assert reason is None if said is None else (reason or "").startswith(said)
    assert reason is None or "codex hooks trust 'K'" in reason


def test_bypassing_runs_unreviewed_hooks_but_not_what_is_switched_off_or_untrusted_as_a_project() -> None:
    foreign = Origin(path="f", key="f", source="project", disabled="/p is not trusted")

    assert trust.refusal("K", PROJECT, Accepted(), "untrusted", bypass=True) is None
    assert trust.refusal("K", PROJECT, Accepted(enabled=False), "untrusted", bypass=True)
    assert trust.refusal("K", foreign, Accepted(), "untrusted", bypass=True) == "/p is not trusted"
