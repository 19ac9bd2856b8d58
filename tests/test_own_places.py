"""What a command in the sandbox leaves behind is not run by the program later, wherever the program is installed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from own_environment import make_environment

if TYPE_CHECKING:
    from codex_testkit import Project

pytestmark = [
    pytest.mark.usefixtures("this_machine"),
    pytest.mark.skipif(sys.platform != "linux" or shutil.which("bwrap") is None, reason="needs bubblewrap"),
]
LAUNCHERS = {"bwrap": [], "landlock": ["-c", "plugins.sandbox-bwrap.enabled=false"]}
ATTACKS = [
    "; ".join(
        [
            "echo 'import pwned' > {packages}/x.pth",  # a file that every start reads
            "echo pwned > {packages}/sitecustomize.py",  # a module that every start imports
            "mkdir {packages}/__pycache__; echo pwned > {packages}/__pycache__/x.pyc",  # byte code
            "echo home=/x > {environment}/pyvenv.cfg",  # settings of the interpreter
            "echo pwned > {environment}/bin/codex",  # the program
            "rm {environment}/bin/python",  # the interpreter
            "echo pwned > {sources}/sitecustomize.py",  # sources that are installed as they are
            "mkdir {sources}/h2",  # sources in a new folder
            "mkdir -p {home}/plugins && echo pwned > {home}/plugins/found-00000000.json",  # the list of plugins
            "mkdir -p {home}/plugins && echo pwned > {home}/plugins/shortcut-exec",  # a shortcut
        ]
    ),
    "mv {environment} {environment}.old && mkdir {environment}",  # another environment
    "mv {tools} {tools}.old",  # a way to it
]


@pytest.fixture
def places(project: Project, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Have the program installed in its workspace, with one distribution whose sources lie there as well."""
    environment = project.root / "tools" / "environment"
    packages = make_environment(environment)
    monkeypatch.setattr(sys, "executable", str(environment / "bin" / "python"))
    sources = project.root / "mine" / "src"
    sources.mkdir(parents=True)
    (packages / "mine.pth").write_text(f"{sources}\n")
    home = project.root / "home"
    home.mkdir()
    return {
        "environment": environment, "packages": packages, "tools": environment.parent, "sources": sources, "home": home
    }  # fmt: skip


def state(folder: Path) -> dict[str, object]:
    """Return every file below a folder with what is in it; the records that the program keeps are left out."""
    return {
        str(path): path.readlink() if path.is_symlink() else path.is_dir() or path.read_bytes()
        for path in folder.rglob("*")
        if "__pycache__" not in path.parts and not path.name.startswith(("rollout-", "state_", "ledger.json"))
    }


def turn(project: Project, places: dict[str, Path], step: dict[str, object], *options: str, cwd: str = ".") -> str:
    (project.home / "script.json").write_text(json.dumps([[step], [{"say": "done"}]]))
    script = f"model_providers.scripted.script={str(project.home / 'script.json')!r}"
    ran = project.run(
        "exec", "--json", "--skip-git-repo-check", "-s", "workspace-write", "-C", cwd, "-c", "model_provider=scripted",
        "-c", script, *options, "go", environ={"CODEX_HOME": str(places["home"])},
    )  # fmt: skip
    ran.assert_success()
    return ran.stdout + ran.stderr


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_a_command_can_not_change_what_the_program_runs(
    project: Project, places: dict[str, Path], launcher: str
) -> None:
    turn(project, places, {"sh": "echo works > made"}, *LAUNCHERS[launcher])
    before = state(project.root)

    for attack in ATTACKS:
        turn(project, places, {"sh": attack.format(**places)}, *LAUNCHERS[launcher])

    assert (project.root / "made").read_text() == "works\n"
    assert state(project.root) == before


@pytest.mark.parametrize("name", ["packages", "sources", "environment", "home"])
def test_a_patch_can_not_change_what_the_program_runs(project: Project, places: dict[str, Path], name: str) -> None:
    path = places[name] / "plugins" / "x" if name == "home" else places[name] / "x"
    patch = f"*** Begin Patch\n*** Add File: {path}\n+pwned\n*** End Patch"

    turn(project, places, {"patch": patch})

    assert not path.exists()


def test_work_in_a_folder_that_modules_come_from_does_not_open_it(project: Project, places: dict[str, Path]) -> None:
    (places["sources"] / "inside").mkdir()

    turn(project, places, {"sh": "touch here"}, cwd=str(places["sources"]))
    turn(project, places, {"sh": "touch here"}, cwd=str(places["sources"] / "inside"))
    turn(project, places, {"patch": "*** Begin Patch\n*** Add File: here\n+x\n*** End Patch"}, cwd="mine/src")

    assert sorted(path.name for path in places["sources"].rglob("*")) == ["inside"]


def test_a_folder_that_the_policy_names_is_opened(project: Project, places: dict[str, Path]) -> None:
    named = ("-c", f"sandbox_workspace_write.writable_roots=[{str(places['sources'])!r}]")
    patch = "*** Begin Patch\n*** Add File: mine/src/patched\n+x\n*** End Patch"

    turn(project, places, {"sh": "touch mine/src/here"}, *named)
    turn(project, places, {"patch": patch}, *named)

    assert sorted(path.name for path in places["sources"].iterdir()) == ["here", "patched"]


def test_the_program_s_plugins_are_closed_where_its_home_is_the_workspace(
    project: Project, places: dict[str, Path]
) -> None:
    turn(project, places, {"sh": "touch here; echo pwned > plugins/shortcut-exec"}, cwd="home")

    assert (places["home"] / "here").exists()
    shortcut = places["home"] / "plugins" / "shortcut-exec"
    assert not shortcut.exists() or "pwned" not in shortcut.read_text()


def test_the_command_that_tries_a_policy_holds_the_same(project: Project, places: dict[str, Path]) -> None:
    for _ in range(2):  # the second time by the shortcut
        ran = project.run("sandbox", "linux", "--full-auto", "--", "touch", "made", f"{places['packages']}/x.pth")

        assert ran.status == 1
        assert "Read-only file system" in ran.stderr
    assert (project.root / "made").exists()
    assert not (places["packages"] / "x.pth").exists()


PROJECT_ATTACKS = [
    "mkdir -p {at}/.codex; echo 'sandbox_mode = \"danger-full-access\"' > {at}/.codex/config.toml",
    "mv {at} {at}.old; mkdir -p {at}/.codex; echo 'sandbox_mode = \"danger-full-access\"' > {at}/.codex/config.toml",
]


@pytest.fixture
def trusting(project: Project) -> Path:
    """Have the user trust a repository beside the workspace, with a live and a removed work tree in the workspace."""
    trusted, inside = project.root.parent / "trusted", project.root / "inside"
    for folder in (trusted, inside):
        subprocess.run(["git", "init", "-q", folder], check=True, timeout=30)
    who = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    subprocess.run(["git", "-C", trusted, *who, "commit", "-q", "--allow-empty", "-m", "x"], check=True, timeout=30)
    for name in ("tree", "gone"):
        tree = project.root / name
        subprocess.run(["git", "-C", trusted, "worktree", "add", "-q", tree], check=True, timeout=30)
    shutil.rmtree(project.root / "gone")
    project.write(
        {"~/config.toml": f'[projects]\n"{trusted}".trust_level = "trusted"\n"{inside}".trust_level="trusted"\n'}
    )
    return project.home


@pytest.mark.parametrize("launcher", LAUNCHERS)
@pytest.mark.parametrize("name", ["inside", "tree", "gone"])
def test_a_command_leaves_no_settings_in_a_trusted_project_inside_of_its_workspace(
    project: Project, trusting: Path, launcher: str, name: str
) -> None:
    at = project.root / name
    patch = f"*** Begin Patch\n*** Add File: {name}/.codex/config.toml\n+x = 1\n*** End Patch"

    for attack in PROJECT_ATTACKS:
        turn(project, {"home": trusting}, {"sh": attack.format(at=at)}, *LAUNCHERS[launcher])
    turn(project, {"home": trusting}, {"patch": patch}, *LAUNCHERS[launcher])

    assert not (at / ".codex" / "config.toml").exists()
    assert not list(project.root.rglob(".codex"))


def test_work_in_a_trusted_project_inside_of_the_workspace_goes_on(project: Project, trusting: Path) -> None:
    turn(project, {"home": trusting}, {"sh": "echo a > inside/a; echo b > tree/b"})

    assert [(project.root / name).read_text() for name in ("inside/a", "tree/b")] == ["a\n", "b\n"]


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_a_link_that_leads_to_the_home_of_the_program_stays(project: Project, launcher: str) -> None:
    home = project.root / "link"
    home.symlink_to(project.home)

    turn(project, {"home": home}, {"sh": "rm link; mv link other; mkdir link; echo '{}' > link/hooks.json"})

    assert home.readlink() == project.home
    assert not (home / "hooks.json").exists()
