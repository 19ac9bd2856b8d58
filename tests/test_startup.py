"""Starting is cheap: what a command does not need is not imported on its way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from codex_testkit.servers.responses import ResponsesServer

# Python 3.13 splits some of its own modules, so the same imports count for more there.
MODULES_OF_A_TURN = 366 if sys.version_info < (3, 13) else 381
LIBRARIES = {
    "asyncio",
    "attr",
    "attrs",
    "anyio",
    "certifi",
    "httptools",
    "httpcore",
    "importlib.metadata",
    "pluggy",
}
NEVER_IN_A_TURN = {"argparse", "email", "h11", "httpx", "importlib.metadata", "stevedore", "tomlkit"}
PROGRAM = """
import os, sys
bare = set(sys.modules)
noted = []
def watch(event, arguments):
    if event == "import" and arguments[0] == "httptools" and not noted:
        noted.append(set(sys.modules))
sys.addaudithook(watch)
from codex_host.cli import main
status = main(sys.argv[1:])
modules = (noted or [set(sys.modules)])[0] - bare
with open(os.environ["MODULES_FILE"], "w") as file:
    file.write("\\n".join(sorted(modules)))
sys.exit(status)
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


def modules_after(home: Path, *arguments: str) -> set[str]:
    """Run the program; return the modules it had loaded when it wanted HTTP, or at its end when it did not."""
    file = home / "modules.txt"
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("CODEX", "OPENAI"))}

    done = subprocess.run(
        [sys.executable, "-P", "-c", PROGRAM, *arguments],
        env={**kept, "CODEX_HOME": str(home), "MODULES_FILE": str(file)},
        cwd=home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    return set(file.read_text().split())


def test_showing_the_version_imports_no_library(home: Path) -> None:
    modules = modules_after(home, "--version")

    assert modules & (LIBRARIES | NEVER_IN_A_TURN) == set()
    assert len(modules) < 30


@pytest.mark.parametrize("line", ["--help", "help exec fork", "archive --help", "completion zsh"])
def test_help_and_completion_import_no_plugin(home: Path, line: str) -> None:
    modules_after(home, "--help")  # finds the plugins and remembers them

    modules = modules_after(home, *line.split())

    assert [name for name in modules if name.endswith(".plugin")] == []


@pytest.mark.usefixtures("this_machine")
def test_a_turn_stays_within_its_budget_of_modules(home: Path) -> None:
    with ResponsesServer() as server:
        provider = {"name": "mock", "base_url": server.url, "wire_api": "responses"}
        table = "\n".join(f"{key} = {json.dumps(value)}" for key, value in provider.items())
        (home / "config.toml").write_text(f'model_provider = "mock"\n[model_providers.mock]\n{table}\n')
        command = ["exec", "--dangerously-bypass-approvals-and-sandbox", "--skip-git-repo-check", "--json", "hello"]
        modules_after(home, *command)  # finds the plugins and remembers them

        modules = modules_after(home, *command)

    assert modules & NEVER_IN_A_TURN == set()
    assert len(modules) <= MODULES_OF_A_TURN


def test_the_garbage_collector_works_while_the_event_loop_runs(home: Path) -> None:
    program = """
import gc, sys
from codex_host.cli import main
from codex_host.process import event_loop
async def look(): print(gc.isenabled(), gc.get_freeze_count() > 1000); return 0
started = event_loop.run
event_loop.run = lambda _: started(look)
sys.argv = ["codex", "exec"]
main()
"""

    done = subprocess.run(
        [sys.executable, "-P", "-c", program],
        env={**os.environ, "CODEX_HOME": str(home)},
        cwd=home,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.stdout == "True True\n", done.stderr
