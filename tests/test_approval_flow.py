"""A client of ``codex app-server`` is asked about commands that their sandbox kept from working."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from codex_testkit.servers.responses import ResponsesServer

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("this_machine")]
CODEX = str(Path(sys.executable).with_name("codex"))
LIMIT = 60
ASKED = "item/commandExecution/requestApproval"
RETRY = "command failed; retry without sandbox?"
HOOK = """cat > "$CODEX_HOME/asked"
echo '{"hookSpecificOutput":{"hookEventName":"PermissionRequest","decision":{"behavior":"BEHAVIOR","message":"no"}}}'
"""
INTERESTING = {"item/started", "item/completed", "serverRequest/resolved", "thread/status/changed", ASKED}

Message = dict[str, Any]


class Client:
    """Speaks with one server over its standard streams and answers every question in the same way."""

    def __init__(self, folder: Path, decision: object) -> None:
        self.messages: list[Message] = []
        self._folder = folder
        self._decision = decision

    async def turn(self, policy: str, *, sandbox: str = "workspace-write") -> list[Message]:
        """Run one turn and return the messages of it."""
        process = await asyncio.create_subprocess_exec(
            CODEX, "app-server", cwd=self._folder / "ws", env=self._environ(), limit=2**24,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        self._process = process
        try:
            async with asyncio.timeout(LIMIT):
                await self._ask("initialize", clientInfo={"name": "flow", "version": "1"})
                await self._send({"method": "initialized"})
                started = await self._ask(
                    "thread/start", cwd=str(self._folder / "ws"), approvalPolicy=policy, sandbox=sandbox
                )
                begin = len(self.messages)
                text = [{"type": "text", "text": "go"}]
                await self._ask("turn/start", threadId=started["thread"]["id"], input=text)
                await self._until(lambda message: message.get("method") == "turn/completed")
                return self.messages[begin:]
        finally:
            assert process.stdin is not None
            process.stdin.close()
            await asyncio.wait_for(process.communicate(), LIMIT)

    def _environ(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("CODEX", "OPENAI"))}
        return {**kept, "CODEX_HOME": str(self._folder / "home"), "SHELL": "/bin/sh"}

    async def _ask(self, method: str, **params: object) -> Message:
        ident = len(self.messages) + 1
        await self._send({"id": ident, "method": method, "params": params})
        answer = await self._until(lambda message: message.get("id") == ident and "method" not in message)
        result: Message = answer["result"]
        return result

    async def _send(self, message: Message) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message).encode() + b"\n")
        await self._process.stdin.drain()

    async def _until(self, wanted: Callable[[Message], bool]) -> Message:
        assert self._process.stdout is not None
        while True:
            message: Message = json.loads(await self._process.stdout.readline())
            self.messages.append(message)
            if message.get("method") == ASKED:
                await self._send({"id": message["id"], "result": {"decision": self._decision}})
            if wanted(message):
                return message


class Flow:
    """Has the model run one command that writes outside of the workspace."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.target = folder / "outside" / "x"
        self.output = ""
        for name in ("home", "ws", "outside"):
            (folder / name).mkdir(parents=True)

    async def __call__(self, policy: str, decision: object, *, hook: str | None = None) -> list[Message]:
        """Run the turn and return what the client saw."""
        with ResponsesServer() as model:
            step = {"cmd": f"echo writing; touch {self.target}", "login": False}
            model.play([[{"sh": step, "call_id": "c"}], [{"say": "done"}]])
            self._configure(model.url, hook)
            messages = await Client(self.folder, decision).turn(policy)
            self.output = model.turns[-1].body["input"][-1]["output"]
        return [message for message in messages if message.get("method") in INTERESTING]

    def _configure(self, url: str, hook: str | None) -> None:
        lines = ['model = "m"', 'model_provider = "mock"', "bypass_hook_trust = true"]
        lines += ["[sandbox_workspace_write]", "exclude_slash_tmp = true", "exclude_tmpdir_env_var = true"]
        lines += ["[model_providers.mock]", 'name = "mock"', f'base_url = "{url}"', 'wire_api = "responses"']
        (self.folder / "home" / "config.toml").write_text("\n".join(lines))
        if hook is not None:
            (self.folder / "home" / "hook.sh").write_text(HOOK.replace("BEHAVIOR", hook))
            handler = {"type": "command", "command": f"sh {self.folder / 'home' / 'hook.sh'}"}
            hooks = {"hooks": {"PermissionRequest": [{"hooks": [handler]}]}}
            (self.folder / "home" / "hooks.json").write_text(json.dumps(hooks))

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
