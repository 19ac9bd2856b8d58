"""Commands are passed to a bridge, or refused with the reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from codex_hookspecs.errors import SandboxUnavailable
from codex_hookspecs.sandbox import Launch, LaunchRequest, SandboxPolicy
from codex_sandbox_windows.bridge import BridgeRequest
from codex_sandbox_windows.launcher import WindowsLauncher
from codex_sandbox_windows.plugin import sandbox_launcher
from codex_sandboxing.protected_paths import PROTECTED

SETTINGS = {"user": "codex", "password_file": "C:\\p", "network_blocked": True}
WORKSPACE = SandboxPolicy("workspaceWrite", exclude_slash_tmp=True, exclude_tmpdir_env_var=True)


def launch(policy: SandboxPolicy, cwd: Path, settings: dict = SETTINGS, home: str = "", **more) -> Launch:
    request = LaunchRequest(argv=("dir", "a b"), cwd=str(cwd), env={"A": "b"}, policy=policy, **more)
    return WindowsLauncher(settings, home or f"{cwd}/../home").launch(request)


def test_a_bridge_gets_all_it_needs(tmp_path: Path) -> None:
    made = launch(WORKSPACE, tmp_path, tty=True)

    request = BridgeRequest.read(made.argv[4])
    assert made.argv[1:4] == ("-I", "-m", "codex_sandbox_windows.bridge")
    assert made.argv[5:] == ("--", "dir", "a b")
    assert json.loads(request.policy)["type"] == "workspace-write"
    assert request.writable == (str(tmp_path),)
    assert request.read_only == tuple(f"{tmp_path}/{name}" for name in PROTECTED)
    assert request.tty
    assert made.sandbox_type == "windowsRestrictedToken"


@pytest.mark.parametrize(
    ("policy", "settings", "reason"),
    [
        (WORKSPACE, {}, "no sandbox user is set up"),
        (WORKSPACE, {"user": "codex"}, "password_file is missing"),
        (WORKSPACE, {**SETTINGS, "network_blocked": False}, "it allows no network"),
        (SandboxPolicy("readOnly", readable_roots=()), SETTINGS, "it denies reading"),
        (SandboxPolicy("workspaceWrite", writable_roots=("/",)), SETTINGS, "lets everything be written"),
    ],
)
def test_a_policy_that_can_not_be_enforced_is_refused(
    policy: SandboxPolicy, settings: dict, reason: str, tmp_path: Path
) -> None:
    with pytest.raises(SandboxUnavailable, match=reason) as caught:
        launch(policy, tmp_path, settings)

    wanted = f"the command was not run: sandbox-windows can't enforce the sandbox policy {policy.mode}: "
    assert str(caught.value).startswith(wanted)


def test_codex_home_is_read_only_unless_it_is_the_workspace(tmp_path: Path) -> None:
    within = BridgeRequest.read(launch(WORKSPACE, tmp_path, home=f"{tmp_path}/state").argv[4])
    itself = BridgeRequest.read(launch(WORKSPACE, tmp_path, home=str(tmp_path)).argv[4])

    assert f"{tmp_path}/state" in within.read_only
    assert str(tmp_path) not in itself.read_only
    assert f"{tmp_path}/plugins" in itself.read_only


def test_a_managed_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SandboxUnavailable, match="managed network"):
        launch(WORKSPACE, tmp_path, managed_network=True)


def test_it_answers_on_windows_only() -> None:
    assert sandbox_launcher("linux", None) is None
