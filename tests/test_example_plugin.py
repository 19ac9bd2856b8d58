"""The example of a third party's plugin does in an installed program what its page says."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from own_environment import make_environment

from codex_testkit import Project

EXAMPLE = Path(__file__).parents[1] / "examples" / "hello-plugin"
SCRIPT = [[{"call": "roll_dice", "args": {"sides": 1}}], [{"say": "a one; TODO: roll more"}], [{"say": "all done"}]]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the interpreter of an environment that pip installed the example into."""
    environment = tmp_path_factory.mktemp("installed") / "environment"
    folder = make_environment(environment)
    copy = shutil.copytree(EXAMPLE, tmp_path_factory.mktemp("copied") / "mine")
    command = [
        "-m",
        "pip",
        "install",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "--target",
        folder,
        copy,
    ]
    subprocess.run([sys.executable, *map(str, command)], check=True, timeout=120)
    return environment / "bin" / "python"


def test_the_example_needs_no_workspace() -> None:
    assert "workspace" not in (EXAMPLE / "pyproject.toml").read_text()


def test_the_example_runs_once_it_is_trusted(
    project: Project, installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(installed))
    project.write({"script.json": json.dumps(SCRIPT)})
    run = ["exec", "--json", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox"]
    run += [
        "-c",
        "model_provider=scripted",
        "-c",
        f"model_providers.scripted.script={project.root / 'script.json'}",
        "go",
    ]

    before = project.run("plugins", "list").stdout
    project.run("plugins", "trust", "hello").assert_success()
    after = project.run("plugins", "list").stdout
    turn = project.run(*run)

    assert "not trusted (run: codex plugins trust hello)" in before
    assert "enabled, trusted" in after
    turn.assert_success()
    messages = [
        event["item"]["text"] for event in turn.events() if event.get("item", {}).get("type") == "agent_message"
    ]
    assert messages == ["a one; TODO: roll more", "all done"]
