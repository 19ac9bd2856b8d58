"""A client of ``codex app-server`` is asked about commands that their sandbox kept from working."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from app_server_client import Message, ServerProcess

from codex_testkit.servers.responses import ResponsesServer

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("this_machine")]
ASKED = "item/commandExecution/requestApproval"
RETRY = "command failed; retry without sandbox?"
HOOK = """cat > "$CODEX_HOME/asked"
echo '{"hookSpecificOutput":{"hookEventName":"PermissionRequest","decision":{"behavior":"BEHAVIOR","message":"no"}}}'
"""
CONFIG = """bypass_hook_trust = true
[sandbox_workspace_write]
exclude_slash_tmp = true
exclude_tmpdir_env_var = true
"""
INTERESTING = {"item/started", "item/completed", "serverRequest/resolved", "thread/status/changed", ASKED}


class Flow:
    """Has the model run one command that writes outside of the workspace."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.target = folder / "outside" / "x"
        self.output = ""
        self.target.parent.mkdir(parents=True)

    async def __call__(self, policy: str, decision: object, *, hook: str | None = None) -> list[Message]:
        """Run the turn and return what the client saw."""
        with ResponsesServer() as model:
            step = {"cmd": f"echo writing; touch {self.target}", "login": False}
            model.play([[{"sh": step, "call_id": "c"}], [{"say": "done"}]])
            server = ServerProcess(self.folder, model.url, CONFIG)
            server.answers[ASKED] = {"result": {"decision": decision}}
            if hook is not None:
                self._add_hook(server.home, hook)
            async with server:
                thread = await server.thread(approvalPolicy=policy, sandbox="workspace-write")
                messages = await server.turn(thread)
            self.output = model.turns[-1].body["input"][-1]["output"]
        return [message for message in messages if message.get("method") in INTERESTING]

    def _add_hook(self, home: Path, behavior: str) -> None:
        (home / "hook.sh").write_text(HOOK.replace("BEHAVIOR", behavior))
        handler = {"type": "command", "command": f"sh {home / 'hook.sh'}"}
        (home / "hooks.json").write_text(json.dumps({"hooks": {"PermissionRequest": [{"hooks": [handler]}]}}))

    def commands(self, messages: list[Message]) -> list[tuple[str, Any]]:
        """Say what happened to the command: its states, questions, and what the thread waited for."""
        found: list[tuple[str, Any]] = []
        for message in messages:
            method, params = message["method"], message["params"]
            if method == ASKED:
                found.append(("asked", params["reason"]))
            elif method == "serverRequest/resolved":
                found.append(("resolved", None))
            elif method == "thread/status/changed":
                found.append(("status", tuple(params["status"].get("activeFlags", [params["status"]["type"]]))))
            elif params["item"]["type"] == "commandExecution":
                found.append((method, params["item"]["status"]))
        return found


@pytest.fixture
def flow(tmp_path: Path) -> Flow:
    return Flow(tmp_path)


async def test_the_client_is_asked_and_the_command_runs_again(flow: Flow) -> None:
    seen = flow.commands(await flow("on-failure", "accept"))

    waiting = ("status", ("waitingOnApproval",))
    assert seen[seen.index(("item/started", "inProgress")) :][:6] == [
        ("item/started", "inProgress"), waiting, ("asked", RETRY), ("resolved", None), ("status", ()),
        ("item/completed", "completed"),
    ]  # fmt: skip
    assert flow.target.exists()
    assert "Process exited with code 0\n" in flow.output


async def test_a_refusal_leaves_it_undone_and_is_told_with_the_output(flow: Flow) -> None:
    seen = flow.commands(await flow("on-failure", "decline"))

    assert [state for state in seen if state[0] != "status"] == [
        ("item/started", "inProgress"), ("asked", RETRY), ("resolved", None), ("item/completed", "declined"),
    ]  # fmt: skip
    assert not flow.target.exists()
    assert "writing" in flow.output
    assert "It was not run again without the sandbox: rejected by user." in flow.output


async def test_consent_that_was_given_before_is_not_asked_for_again(flow: Flow) -> None:
    seen = flow.commands(await flow("untrusted", "accept"))

    assert [state for state in seen if state[0] == "asked"] == [("asked", None)]
    assert seen.index(("asked", None)) < seen.index(("item/started", "inProgress"))
    assert flow.target.exists()


@pytest.mark.parametrize("policy", ["on-request", "never"])
async def test_elsewhere_nobody_is_asked_and_the_model_is_told(flow: Flow, policy: str) -> None:
    seen = flow.commands(await flow(policy, "accept"))

    assert [state for state in seen if state[0] != "status"] == [
        ("item/started", "inProgress"), ("item/completed", "failed"),
    ]  # fmt: skip
    assert not flow.target.exists()
    assert "SandboxDenied" in flow.output


@pytest.mark.parametrize("behavior", ["allow", "deny"])
async def test_hook_scripts_answer_before_the_client(flow: Flow, behavior: str) -> None:
    seen = flow.commands(await flow("on-failure", "decline", hook=behavior))

    assert [state for state in seen if state[0] == "asked"] == []
    assert flow.target.exists() is (behavior == "allow")
    asked = json.loads((flow.folder / "home" / "asked").read_text())
    assert asked["tool_input"] == {"command": f"echo writing; touch {flow.target}", "description": RETRY}
    assert ("It was not run again without the sandbox: no." in flow.output) is (behavior == "deny")


@pytest.mark.parametrize("answer", [None, [], "accept", 5, {}, {"decision": "perhaps"}])
async def test_an_answer_of_another_shape_declines_the_command(tmp_path: Path, answer: object) -> None:
    arguments = {"cmd": "touch made", "sandbox_permissions": "require_escalated", "justification": "it is needed"}
    with ResponsesServer() as model:
        model.play([[{"call": "exec_command", "args": arguments}], [{"say": "done"}]])
        server = ServerProcess(tmp_path, model.url, CONFIG)
        server.answers[ASKED] = {"result": answer}
        async with server:
            thread = await server.thread(approvalPolicy="on-request", sandbox="workspace-write")
            messages = await server.turn(thread)

    ended = [message["params"]["item"] for message in messages if message.get("method") == "item/completed"]
    assert [item["status"] for item in ended if item["type"] == "commandExecution"] == ["declined"]
    assert [message for message in messages if message.get("method") == "warning"] == []
    assert "rejected by user" in model.turns[-1].body["input"][-1]["output"]
