"""Commands are wrapped in ``sandbox-exec`` or not run."""

from __future__ import annotations

import pytest

from codex_hookspecs.errors import SandboxUnavailable
from codex_hookspecs.sandbox import Launch, LaunchRequest, SandboxPolicy
from codex_sandbox_seatbelt.launcher import SeatbeltLauncher
from codex_sandbox_seatbelt.plugin import sandbox_launcher


def launch(policy: SandboxPolicy, settings: dict | None = None, *, there: bool = True, **more) -> Launch:
    request = LaunchRequest(argv=("ls", "-D"), cwd="/space/x", env={"A": "b"}, policy=policy, **more)
    return SeatbeltLauncher(settings or {}, exists=lambda _: there).launch(request)


def test_a_command_follows_the_policy_and_its_parameters() -> None:
    made = launch(SandboxPolicy("workspaceWrite", exclude_slash_tmp=True))

    assert made.argv[:2] == ("/usr/bin/sandbox-exec", "-p")
    assert made.argv[2].startswith("(version 1)\n(deny default)")
    assert made.argv[3] == "-DWRITABLE_ROOT_0=/space/x"
    assert made.argv[-3:] == ("--", "ls", "-D")
    assert made.sandbox_type == "macosSeatbelt"


def test_the_environment_says_that_a_command_is_sandboxed() -> None:
    assert launch(SandboxPolicy("readOnly")).env == {
        "A": "b",
        "CODEX_SANDBOX": "seatbelt",
        "CODEX_SANDBOX_NETWORK_DISABLED": "1",
    }
    assert "CODEX_SANDBOX_NETWORK_DISABLED" not in launch(SandboxPolicy("readOnly", True)).env


def test_without_the_program_nothing_is_run() -> None:
    with pytest.raises(SandboxUnavailable, match="/usr/bin/sandbox-exec"):
        launch(SandboxPolicy("readOnly"), there=False)


def test_an_invalid_setting_is_an_error() -> None:
    with pytest.raises(SandboxUnavailable, match="unix_sockets is 7"):
        launch(SandboxPolicy("readOnly"), {"unix_sockets": 7})


def test_it_answers_on_macos_only() -> None:
    assert sandbox_launcher("linux", None) is None
