"""A thread that was begun on another machine goes on there, in whatever program it is resumed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from codex_testkit.servers.exec_client import exec_server

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("this_machine")]
CODEX = str(Path(sys.executable).with_name("codex"))
FREE = "--dangerously-bypass-approvals-and-sandbox"
ANYWHERE = "--skip-git-repo-check"
WHERE = [[{"sh": {"cmd": "echo on $MACHINE", "login": False}}], [{"say": "done"}]]


@pytest.fixture
def codex(tmp_path: Path) -> Any:
    """Run the program; the result has its status, its stderr, and what commands wrote."""
    home, project = tmp_path / "home", tmp_path / "project"
    home.mkdir()
    project.mkdir()
    (home / "script.json").write_text(json.dumps(WHERE * 6))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CODEX", "OPENAI"))}
    provider = f"model_providers.scripted.script={json.dumps(str(home / 'script.json'))}"

    def run(*words: str, **environ: str) -> tuple[int, str, list[str]]:
        done = subprocess.run(
            [
                CODEX,
                "-c",
                "model_provider=scripted",
                "-c",
                provider,
                "exec",
                "--json",
                FREE,
                "--skip-git-repo-check",
                *words,
            ],
            cwd=project,
            env={**kept, "CODEX_HOME": str(home), "HOME": str(home), "SHELL": "/bin/sh", "MACHINE": "here", **environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        items = [event.get("item") or {} for event in map(json.loads, done.stdout.splitlines())]
        ended = [item for item in items if item.get("type") == "command_execution" and item["status"] != "in_progress"]
        return done.returncode, done.stderr, [item["aggregated_output"] for item in ended]

    return run


def far(url: str) -> tuple[str, str]:
    return "-c", f'environments={{far={{url="{url}"}}}}'


async def test_it_goes_on_there_without_being_told(codex: Any, tmp_path: Path) -> None:
    async with exec_server(env={"MACHINE": "far"}) as server:
        assert codex(*far(server.url), "-c", "environment=far", "go")[2] == ["on far\n"]
        (tmp_path / "home/config.toml").write_text(f'[environments.far]\nurl = "{server.url}"\n')

        assert codex("resume", "--last", "on")[2] == ["on far\n"]
        assert codex("-c", "environment=local", "resume", "--last", "on")[2] == ["on here\n"]
        assert codex("resume", "--last", "on")[2] == ["on here\n"]


@pytest.mark.parametrize("chosen", ["setting", "variable"])
async def test_it_is_refused_where_that_machine_is_not_known(codex: Any, chosen: str) -> None:
    async with exec_server(env={"MACHINE": "far"}) as server:
        if chosen == "setting":
            codex(*far(server.url), "-c", "environment=far", "go")
        else:
            codex("go", CODEX_EXEC_SERVER_URL=server.url)

        status, told, outputs = codex("resume", "--last", "on")

    name = "far" if chosen == "setting" else "remote"
    assert (status, outputs) == (1, [])
    assert f"the thread works on a remote environment, and there is no environment '{name}'; there are: local" in told
    assert len([line for line in told.splitlines() if line.startswith("Error")]) == 1


async def test_a_command_is_never_run_here_when_that_machine_is_gone(codex: Any, tmp_path: Path) -> None:
    async with exec_server(env={"MACHINE": "far"}) as server:
        (tmp_path / "home/config.toml").write_text(f'environment = "far"\n[environments.far]\nurl = "{server.url}"\n')
        assert codex("go")[2] == ["on far\n"]
    settings = (tmp_path / "home/config.toml").read_text()
    (tmp_path / "home/config.toml").write_text(settings.replace('environment = "far"', 'environment = "local"'))

    assert codex("resume", "--last", "on")[2] == []


async def test_a_thread_of_this_machine_says_nothing_of_machines(codex: Any, tmp_path: Path) -> None:
    assert codex("go")[2] == ["on here\n"]

    [rollout] = (tmp_path / "home/sessions").rglob("*.jsonl")
    assert '"environment":' not in rollout.read_text()
