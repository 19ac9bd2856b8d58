"""When bubblewrap is missing or broken, another launcher enforces the policy or nothing runs; the user is warned."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from codex_sandbox_bwrap.binary import probe_binary
from codex_sandbox_bwrap.notices import is_wsl1

SHELL = ("sh", "-c")
OFFERS = "--cap-drop --die-with-parent --info-fd --perms --ro-bind-data --seccomp --sync-fd"
REFUSES = f'case "$1" in --help) echo "{OFFERS}";; *) echo "bwrap: %s" >&2; exit 1;; esac'
NAMESPACES = "needs access to create user namespaces"
BROKEN = {
    "without namespaces": (REFUSES % "setting up uid map: Permission denied", NAMESPACES),
    "without a loopback device": (REFUSES % "loopback: Failed RTM_NEWADDR", NAMESPACES),
    "failing otherwise": (REFUSES % "odd", "bwrap: odd"),
    "old": ('echo "--ro-bind --unshare-all"', "does not know --cap-drop"),
    "something else": ("exit 0", "does not know --cap-drop"),
    "ending at once": ("exit 3", "no reason given"),
    "printing without end": (
        "while :; do echo yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy; done",
        "does not stop printing",
    ),
}
Codex = Callable[..., "subprocess.CompletedProcess[str]"]
Turn = Callable[..., tuple[list[str], str]]
SCRIPT = "touch made; mkdir .git/hooks; touch ../outside; id -u"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "base" / "ws"
    folder.mkdir(parents=True)
    return folder


def path_with(folder: Path, program: str | None) -> str:
    """Return a ``PATH`` whose bwrap is a given script, or that has none."""
    folder.mkdir()
    for name in ("sh", "bash", "touch", "mkdir", "id"):
        (folder / name).symlink_to(f"/usr/bin/{name}")
    if program is not None:
        file = folder / "bwrap"
        file.write_text(f"#!/bin/sh\n{program}\n")
        file.chmod(0o755)
    return str(folder)


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_broken_is_known_with_its_reason(what: str, tmp_path: Path) -> None:
    program, reason = BROKEN[what]
    path = f"{path_with(tmp_path / 'bin', program)}/bwrap"

    features = probe_binary(path, str(tmp_path)).features

    assert features.problem.startswith(f"{path}: ")
    assert reason in (NAMESPACES if features.lacks_namespaces else features.problem)


@pytest.mark.parametrize("what", ["without namespaces", "old", None])
def test_a_turn_goes_on_with_landlock_and_tells_the_user_why(
    what: str | None, turn: Turn, workspace: Path, tmp_path: Path
) -> None:
    program, reason = BROKEN[what] if what else (None, "could not find system bubblewrap on PATH")
    path = path_with(tmp_path / "bin", program)

    notices, output = turn("workspace-write", SCRIPT, cwd=workspace, PATH=path)

    [missing_bwrap_notice] = [text for text in notices if "bubblewrap" in text]
    assert reason in missing_bwrap_notice
    assert "Landlock in the meantime" in missing_bwrap_notice
    assert f"\n{os.getuid()}\n" in f"{output}\n", output
    assert (workspace / "made").exists()
    assert os.listdir(workspace.parent) == ["ws"]
    assert sorted(os.listdir(workspace)) == ["made"]


@pytest.mark.parametrize("mode", ["danger-full-access"])
def test_nobody_is_warned_when_no_sandbox_is_needed(mode: str, turn: Turn, workspace: Path, tmp_path: Path) -> None:
    path = path_with(tmp_path / "bin", BROKEN["old"][0])

    notices, _ = turn(mode, "true", cwd=workspace, PATH=path)

    assert [text for text in notices if "bubblewrap" in text] == []


def test_the_sandbox_command_falls_back_to_landlock_without_a_warning(
    codex: Codex, workspace: Path, tmp_path: Path
) -> None:
    path = path_with(tmp_path / "bin", BROKEN["without namespaces"][0])

    done = codex("sandbox", "linux", "--full-auto", "--", *SHELL, "touch made && echo fine", cwd=workspace, PATH=path)

    assert (done.returncode, done.stdout, done.stderr) == (0, "fine\n", "")


@pytest.mark.parametrize("mode", ["read-only", "workspace-write"])
def test_when_nothing_can_enforce_the_policy_nothing_runs_and_one_line_says_so(
    mode: str, codex: Codex, home: Path, workspace: Path, tmp_path: Path
) -> None:
    path = path_with(tmp_path / "bin", BROKEN["without namespaces"][0])
    (home / "config.toml").write_text("[plugins.sandbox-landlock]\nenabled = false\n")
    command = ["-c", f"sandbox_mode={mode}", "sandbox", "linux", "--", "sh", "-c", "touch /tmp/ran; echo ran"]

    done = codex(*command, cwd=workspace, PATH=path)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    for part in ("the command was not run", mode, "bwrap", "setting up uid map: Permission denied", "--sandbox danger"):
        assert part in done.stderr


def test_a_bwrap_that_hangs_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("codex_sandbox_bwrap.binary._TIMEOUT_SECONDS", 0.3)
    path = f"{path_with(tmp_path / 'bin', 'sleep 600 & sleep 600')}/bwrap"

    began = time.monotonic()
    problem = probe_binary(path, str(tmp_path)).features.problem

    assert problem == f"{path}: no answer within 0.3 s"
    assert time.monotonic() - began < 5


def test_a_failed_probe_is_repeated_after_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"{path_with(tmp_path / 'bin', 'echo >> ' + str(tmp_path / 'log'))}/bwrap"

    probe_binary(path, str(tmp_path))
    probe_binary(path, str(tmp_path))
    soon = (tmp_path / "log").read_text().count("\n")
    monkeypatch.setattr("codex_sandbox_bwrap.binary._PROBLEM_TTL_SECONDS", 0)
    probe_binary(path, str(tmp_path))

    assert (soon, (tmp_path / "log").read_text().count("\n")) == (1, 2)


@pytest.mark.parametrize(
    ("version", "first"),
    [
        ("Linux version 4.4.0-19041-Microsoft (Microsoft@Microsoft.com) (gcc version 5.4.0)", True),
        ("Linux version 5.15.90.1-microsoft-standard-WSL2 (oe-user@oe-host)", False),
        ("Linux version 6.18.44 (builder@host)", False),
    ],
)
def test_wsl1_is_recognised(version: str, first: bool) -> None:
    assert is_wsl1(version) is first
