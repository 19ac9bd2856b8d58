"""A call that was refused before it ran leaves a trace for people, whoever refused it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("this_machine")
CODEX = str(Path(sys.executable).with_name("codex"))
PUSH = {"sh": {"cmd": "git push origin main", "login": False}}
FORBIDDEN = 'prefix_rule(pattern=["git","push"], decision="forbidden", justification="ask Ann first")\n'
ASKED = 'prefix_rule(pattern=["git","push"], decision="prompt")\n'
DECLINED = "command `git push origin main` declined: "
PATCH = {"patch": "*** Begin Patch\n*** Add File: n.txt\n+a\n*** End Patch"}


def verdict(decision: str) -> str:
    said = {"hookEventName": "PreToolUse", "permissionDecision": decision, "permissionDecisionReason": "not today"}
    return f"echo '{json.dumps({'hookSpecificOutput': said})}'"


class Place:
    """A home and a project with a scripted model."""

    def __init__(self, folder: Path) -> None:
        self.home, self.project = folder / "home", folder / "project"
        (self.home / "rules").mkdir(parents=True)
        self.project.mkdir()

    def write(self, *steps: dict[str, Any], rules: str = "", hook: str = "", config: str = "") -> None:
        (self.home / "script.json").write_text(json.dumps([list(steps), [{"say": "All done."}]]))
        (self.home / "config.toml").write_text(
            f'model_provider = "scripted"\nbypass_hook_trust = true\n{config}'
            '[model_providers.scripted]\nscript = "script.json"\n'
        )
        (self.home / "rules" / "default.rules").write_text(rules)
        if hook:
            handler = {"type": "command", "command": hook, "timeout": 1}
            (self.home / "hooks.json").write_text(json.dumps({"hooks": {"PreToolUse": [{"hooks": [handler]}]}}))

    def popen(self, *words: str, **streams: Any) -> subprocess.Popen[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("CODEX", "OPENAI"))}
        environ = {**kept, "HOME": str(self.home), "CODEX_HOME": str(self.home), "SHELL": "/bin/sh"}
        return subprocess.Popen([CODEX, *words], cwd=self.project, env=environ, text=True, **streams)

    def exec(self, *words: str) -> tuple[str, str]:
        """Run one prompt and return what was written to the two outputs."""
        process = self.popen(
            "exec", "--skip-git-repo-check", *words, "go",
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        return out, err


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


REFUSALS = [
    pytest.param({"rules": FORBIDDEN}, "rejected: ask Ann first", id="a rule forbids"),
    pytest.param({"rules": ASKED}, "approval required by policy", id="a rule asks where nobody is asked"),
    pytest.param({"hook": verdict("deny")}, "not today", id="a hook denies"),
    pytest.param({"hook": verdict("ask")}, "not today", id="a hook asks where nobody is asked"),
    pytest.param({"hook": "sleep 20"}, "timed out", id="a hook takes too long"),
]


@pytest.mark.parametrize(("written", "reason"), REFUSALS)
def test_people_see_each_refused_command_with_the_reason(place: Place, written: dict[str, str], reason: str) -> None:
    place.write(PUSH, PUSH, **written)

    _, err = place.exec()

    lines = [line for line in err.splitlines() if DECLINED in line]
    assert len(lines) == 2
    assert all(line.startswith("warning: ") and reason in line for line in lines), lines


@pytest.mark.parametrize(("written", "reason"), REFUSALS)
def test_json_lines_tell_a_refused_command_as_a_warning(place: Place, written: dict[str, str], reason: str) -> None:
    place.write(PUSH, **written)

    out, _ = place.exec("--json")

    items = [event["item"] for event in map(json.loads, out.splitlines()) if event["type"] == "item.completed"]
    [told] = [item["message"] for item in items if item["type"] == "error" and "declined: " in item["message"]]
    assert told.startswith(DECLINED)
    assert reason in told
    assert "command_execution" not in {item["type"] for item in items}


def test_people_see_a_refused_patch_with_the_reason(place: Place) -> None:
    place.write(PATCH, hook=verdict("deny"))

    _, err = place.exec()

    assert "warning: apply_patch declined: not today" in err.splitlines()
    assert not (place.project / "n.txt").exists()


def test_people_see_a_patch_that_the_sandbox_policy_refuses(place: Place) -> None:
    place.write(PATCH)

    _, err = place.exec("--sandbox", "read-only")

    assert "warning: apply_patch declined: patch rejected: writing outside of the project" in err


def test_a_command_of_many_lines_is_told_in_one(place: Place) -> None:
    place.write({"sh": {"cmd": "echo a\necho b", "login": False}}, hook=verdict("deny"))

    _, err = place.exec()

    assert "warning: command `echo a echo b` declined: not today" in err.splitlines()


def test_the_reason_stands_behind_a_long_command(place: Place) -> None:
    place.write({"sh": {"cmd": f"git push {'x' * 1000}", "login": False}}, rules=FORBIDDEN)

    _, err = place.exec()

    assert "x…` declined: rejected: ask Ann first" in err


@pytest.mark.parametrize(
    ("written", "policy", "warned", "items"),
    [
        ({"rules": FORBIDDEN}, "on-request", True, []),
        ({"hook": verdict("deny")}, "on-request", True, []),
        ({"rules": ASKED}, "on-request", False, ["declined"]),
    ],
)
def test_clients_get_a_warning_or_an_item_that_was_declined(
    place: Place, written: dict[str, str], policy: str, warned: bool, items: list[str]
) -> None:
    place.write(PUSH, **written)

    messages = converse(place, policy)

    warnings = [told["params"]["message"] for told in messages if told.get("method") == "warning"]
    ended = [told["params"]["item"] for told in messages if told.get("method") == "item/completed"]
    assert [text.startswith(DECLINED) for text in warnings if "declined" in text] == [True] * warned
    assert [item["status"] for item in ended if item["type"] == "commandExecution"] == items


def converse(place: Place, policy: str) -> list[dict[str, Any]]:
    """Run one turn as a client that declines everything and return all that it was told."""
    process = place.popen("app-server", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    told: list[dict[str, Any]] = []

    def send(**message: object) -> None:
        assert process.stdin is not None
        print(json.dumps(message), file=process.stdin, flush=True)

    with process:
        send(id=1, method="initialize", params={"clientInfo": {"name": "refused", "version": "1"}})
        send(method="initialized")
        send(id=2, method="thread/start", params={"cwd": str(place.project), "approvalPolicy": policy})
        for line in process.stdout:
            message = json.loads(line)
            told.append(message)
            if message.get("id") == 2 and "result" in message:
                thread = message["result"]["thread"]["id"]
                send(id=3, method="turn/start", params={"threadId": thread, "input": [{"type": "text", "text": "go"}]})
            elif str(message.get("method")).endswith("/requestApproval"):
                send(id=message["id"], result={"decision": "decline"})
            elif message.get("method") == "turn/completed":
                break
        process.stdin.close()
    return told
