"""All that looks for the repository around a directory finds the same one, as git does."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from codex_exec_local.environment import LocalEnvironment
from codex_hookspecs.environments.repository import project_root, repository_root
from codex_testkit import Project

PLACES: dict[str, Callable[[Path], object]] = {
    "nothing": lambda path: None,
    "an empty folder": lambda path: path.mkdir(),
    "a folder of hooks": lambda path: (path / "hooks").mkdir(parents=True),
    "a pipe": os.mkfifo,
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a link to nothing": lambda path: path.symlink_to("nowhere"),
    "a link to itself": lambda path: path.symlink_to(path),
    "a folder that stands in": lambda path: path.mkdir(mode=0o1755),
}


def turn(project: Project, *options: str) -> str:
    rounds = [[{"say": "done"}]]
    project.write({"~/script.json": json.dumps(rounds)})
    script = {"CODEX_MODEL_SCRIPT": str(project.home / "script.json")}
    ran = project.run("-c", "model_provider=scripted", *options, "exec", "--json", "hello", environ=script)
    return ran.stdout + ran.stderr


def found_elsewhere(folder: Path) -> str | None:
    async def ask() -> str | None:
        machine = LocalEnvironment({})
        try:
            return await repository_root(str(folder), machine.files)
        finally:
            await machine.aclose()

    return asyncio.run(ask())


@pytest.mark.parametrize("name", PLACES)
def test_what_git_takes_for_no_repository_is_none(project: Project, name: str) -> None:
    PLACES[name](project.root / ".git")
    inner = project.root / "inner"
    inner.mkdir()
    project.write({"AGENTS.md": "THE OUTER", "inner/.codex/config.toml": 'model = "inner"'})
    project.write({"~/config.toml": f'[projects."{inner}"]\ntrust_level = "trusted"\n'})

    told = turn(project, "-C", str(inner))

    assert project_root(str(inner)) is None
    assert found_elsewhere(inner) is None
    assert "Not inside a trusted directory" in told
    assert "sandboxed commands can write" not in told  # which a repository around it would mean


@pytest.mark.parametrize("kind", ["repository", "linked work tree", "linked folder"])
def test_what_git_takes_for_a_repository_is_one(project: Project, kind: str) -> None:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    main = project.root.parent / "main"
    folder = main if kind != "repository" else project.root
    subprocess.run(["git", "init", "-q", folder], check=True)
    subprocess.run(["git", "-C", folder, *who, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    if kind == "linked work tree":
        subprocess.run(["git", "-C", main, "worktree", "add", "-q", "-f", project.root], check=True)
    elif kind == "linked folder":
        (project.root / ".git").symlink_to(main / ".git")
    inner = project.root / "inner"
    inner.mkdir()

    assert project_root(str(inner)) == found_elsewhere(inner) == str(project.root)
    assert "turn.completed" in turn(project, "-C", str(inner))
