"""The fragments of a turn: their keys, places, order and texts."""

from __future__ import annotations

import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from codex_hookspecs.context import Fragment
from codex_hookspecs.errors import EnvironmentLost, ExecError
from codex_hookspecs.protocol import GranularApprovalPolicy, GranularApprovals, ThreadSettings
from codex_hookspecs.sandbox import SandboxPolicy
from codex_hookspecs.storage import fragment_key
from codex_instructions.plugin import instruction_fragments
from codex_testkit.memory.environment import MemoryEnvironments

pytestmark = pytest.mark.anyio


class Turn:
    """A turn of a thread with a home directory and a machine in memory."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.config: dict[str, Any] = {}
        self.files: dict[str, str | bytes] = {}
        self.origins: dict[str, str] = {}
        self.history: list[dict[str, Any]] = []
        self.warnings: list[str] = []
        self.environ = {"TZ": "Europe/Berlin"}
        self.machine: Any = None
        self.settings = {
            "cwd": "/space",
            "model": "gpt-5.2-codex",
            "model_provider": "mock",
            "approval_policy": "never",
            "sandbox": SandboxPolicy("dangerFullAccess"),
        }

    async def warn(self, text: str) -> None:
        self.warnings.append(text)

    async def fragments(self, **settings: Any) -> dict[str, Fragment]:
        machines = MemoryEnvironments(files=self.files)
        host: Any = SimpleNamespace(
            codex_home=str(self.home),
            config=SimpleNamespace(origin=self.origins.get),
            environ=self.environ,
            environments=SimpleNamespace(of=self.machine or (lambda _thread: machines.open())),
            logger=logging.getLogger,
        )
        thread: Any = SimpleNamespace(id="t", config=self.config, history=self.history, warn=self.warn)
        found = await instruction_fragments(thread, ThreadSettings(**{**self.settings, **settings}), host)
        return {fragment.key: fragment for fragment in found}


@pytest.fixture
def a_turn(tmp_path: Path) -> Turn:
    return Turn(tmp_path)


async def test_a_plain_turn_has_three_fragments(a_turn: Turn) -> None:
    found = await a_turn.fragments()

    assert [(part.key, part.place, part.order) for part in found.values()] == [
        ("base_instructions", "base", 10),
        ("permissions", "developer", 10),
        ("environment_context", "user", 20),
    ]


async def test_all_fragments_are_in_the_order_of_codex(a_turn: Turn) -> None:
    a_turn.files["/space/AGENTS.md"] = "Be kind.\n"
    mode = {"mode": "custom", "settings": {"developer_instructions": "Pair up."}}

    found = await a_turn.fragments(developer_instructions="DEV", collaboration_mode=mode)

    assert [(part.key, part.place, part.order) for part in found.values()] == [
        ("base_instructions", "base", 10),
        ("permissions", "developer", 10),
        ("developer_instructions", "developer", 20),
        ("collaboration_mode", "developer", 30),
        ("agents_md", "user", 10),
        ("environment_context", "user", 20),
    ]
    assert found["developer_instructions"].text == "DEV"
    assert found["collaboration_mode"].text == "<collaboration_mode>Pair up.</collaboration_mode>"
    assert found["agents_md"].text == (
        "# AGENTS.md instructions for /space\n\n<INSTRUCTIONS>\nBe kind.\n\n</INSTRUCTIONS>"
    )


async def test_fragments_are_recognised_when_a_thread_is_loaded(a_turn: Turn) -> None:
    a_turn.files["/space/AGENTS.md"] = "Be kind.\n"

    found = await a_turn.fragments(collaboration_mode={"mode": "plan"})

    recognised = {fragment_key(part.text) for part in found.values()} - {None}
    assert recognised == {"permissions", "collaboration_mode", "agents_md", "environment_context"}


async def test_without_an_environment_it_is_not_described(a_turn: Turn) -> None:
    a_turn.files["/space/AGENTS.md"] = "Be kind.\n"
    a_turn.machine = _fails(ExecError("there is none"))

    found = await a_turn.fragments()

    assert "agents_md" not in found
    assert "permissions" in found
    assert found["environment_context"].text.splitlines()[1].startswith("  <current_date>")


async def test_an_unreachable_environment_is_described_as_failed(a_turn: Turn) -> None:
    a_turn.machine = _fails(EnvironmentLost("no answer", environment="far"))

    text = (await a_turn.fragments())["environment_context"].text

    assert text.splitlines()[1:8] == [
        "  <environments>",
        '    <environment id="far">',
        "      <cwd>/space</cwd>",
        "      <status>failed</status>",
        "      <error>exec-server connection attempt failed: no answer</error>",
        "    </environment>",
        "  </environments>",
    ]


def _fails(error: ExecError) -> Any:
    async def machine(_thread: Any) -> Any:
        raise error

    return machine


async def test_the_environment_is_described_as_codex_does(a_turn: Turn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("codex_instructions.fragments.local_date", lambda: "2026-03-25")

    text = (await a_turn.fragments())["environment_context"].text

    assert text == (
        "<environment_context>\n  <cwd>/space</cwd>\n  <shell>sh</shell>\n  <current_date>2026-03-25</current_date>\n"
        "  <timezone>Europe/Berlin</timezone>\n</environment_context>"
    )


@pytest.mark.parametrize("policy", ["untrusted", "on-failure", "on-request", "never"])
@pytest.mark.parametrize("kind", ["dangerFullAccess", "readOnly", "workspaceWrite", "externalSandbox"])
async def test_every_policy_is_described(a_turn: Turn, policy: Any, kind: Any) -> None:
    sandbox = SandboxPolicy(kind)

    text = (await a_turn.fragments(approval_policy=policy, sandbox=sandbox))["permissions"].text

    assert text.startswith("<permissions instructions>\n")
    assert text.endswith("\n</permissions instructions>")
    assert f"`{sandbox.mode}`" in text
    assert f"`{policy}`" in text
    assert ("require_escalated" in text) == (policy in ("untrusted", "on-request"))


@pytest.mark.parametrize("asked", [True, False])
async def test_a_granular_policy_is_described_with_its_categories(a_turn: Turn, asked: bool) -> None:
    granular = GranularApprovals(sandbox_approval=asked, rules=not asked, mcp_elicitations=True)
    sandbox = SandboxPolicy("workspaceWrite")

    fragments = await a_turn.fragments(approval_policy=GranularApprovalPolicy(granular), sandbox=sandbox)

    _, _, text = fragments["permissions"].text.partition("`granular`")
    asks, _, refuses = text.partition("Refused: ")
    assert ("`sandbox_approval`" in asks, "`rules`" in asks) == (asked, not asked)
    assert ("`sandbox_approval`" in refuses, "`rules`" in refuses) == (not asked, asked)
    assert ("require_escalated" in text) is asked


async def test_writable_roots_and_network_access_are_described(a_turn: Turn) -> None:
    wide = SandboxPolicy("workspaceWrite", True, writable_roots=("/data", "/space"))
    narrow = SandboxPolicy("workspaceWrite", exclude_slash_tmp=True, exclude_tmpdir_env_var=True)

    open_text = (await a_turn.fragments(sandbox=wide))["permissions"].text
    closed_text = (await a_turn.fragments(sandbox=narrow))["permissions"].text

    assert "write below `/space`, `/data`, `/tmp`. Network access is allowed." in open_text
    assert "write below `/space`. Network access is blocked." in closed_text


async def test_base_instructions_of_the_client_take_precedence(a_turn: Turn) -> None:
    a_turn.config = {"base_instructions": "configured", "model_instructions_file": str(a_turn.home / "none")}

    assert (await a_turn.fragments(base_instructions="client"))["base_instructions"].text == "client"
    assert a_turn.warnings == []


async def test_base_instructions_can_be_a_file_beside_the_configuration(a_turn: Turn) -> None:
    (a_turn.home / "prompt.md").write_text("From a file.\n")
    a_turn.config = {"model_instructions_file": "prompt.md", "base_instructions": "configured"}
    a_turn.origins = {"model_instructions_file": str(a_turn.home / "config.toml")}

    assert (await a_turn.fragments())["base_instructions"].text == "From a file.\n"


async def test_base_instructions_can_be_configured(a_turn: Turn) -> None:
    a_turn.config = {"base_instructions": "configured"}

    assert (await a_turn.fragments())["base_instructions"].text == "configured"


async def test_a_missing_base_instructions_file_is_reported_once(a_turn: Turn) -> None:
    a_turn.config = {"model_instructions_file": str(a_turn.home / "none.md")}

    text = (await a_turn.fragments())["base_instructions"].text
    a_turn.history.append({"type": "message"})
    await a_turn.fragments()

    (warnings,) = a_turn.warnings
    assert f"{a_turn.home}/none.md is not there; the standard instructions" in warnings
    assert text.startswith("You are a coding agent.")


async def test_an_empty_base_instructions_file_is_reported(a_turn: Turn) -> None:
    (a_turn.home / "prompt.md").write_text("\n")
    a_turn.config = {"model_instructions_file": str(a_turn.home / "prompt.md")}

    await a_turn.fragments()

    assert "is empty" in a_turn.warnings[0]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"AGENTS.md": "\n HOME \n"}, "HOME"),
        ({"AGENTS.md": "HOME", "AGENTS.override.md": "OVER"}, "OVER"),
        ({"AGENTS.md": "HOME", "AGENTS.override.md": " "}, "HOME"),
    ],
)
async def test_the_user_s_own_instructions_come_from_home(a_turn: Turn, files: dict[str, str], expected: str) -> None:
    for name, text in files.items():
        (a_turn.home / name).write_text(text)
    a_turn.config = {"project_doc_max_bytes": 0}

    text = (await a_turn.fragments())["agents_md"].text

    assert text == f"# AGENTS.md instructions for /space\n\n<INSTRUCTIONS>\n{expected}\n</INSTRUCTIONS>"


async def test_unreadable_home_instructions_are_reported(a_turn: Turn) -> None:
    (a_turn.home / "AGENTS.md").mkdir()

    found = await a_turn.fragments()

    assert "agents_md" not in found
    assert "AGENTS.md is left out: it is a directory" in a_turn.warnings[0]


async def test_the_standard_instructions_name_the_tools(a_turn: Turn) -> None:
    text = (await a_turn.fragments())["base_instructions"].text

    assert all(f"`{tool}`" in text for tool in ("exec_command", "write_stdin", "apply_patch", "update_plan"))
    assert 300 < len(text.split()) < 900
