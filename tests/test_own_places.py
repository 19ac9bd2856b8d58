"""What a command in the sandbox leaves behind is not run by the program later, wherever the program is installed."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from own_environment import make_environment

if TYPE_CHECKING:
    from codex_hookspecs.testing import Project

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
