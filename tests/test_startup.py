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
MODULES_OF_A_SERVER = 361 if sys.version_info < (3, 13) else 378
MODULES_OF_A_LISTENER = 300 if sys.version_info < (3, 13) else 315
LIBRARIES = {
    "asyncio",
    "attr",
    "attrs",
    "anyio",
    "cattrs",
    "certifi",
    "httptools",
    "httpcore",
    "importlib.metadata",
    "pluggy",
}
NEVER_IN_A_TURN = {"argparse", "cattrs", "email", "h11", "httpx", "importlib.metadata", "stevedore", "tomlkit"}
NEVER_IN_A_SERVER = (NEVER_IN_A_TURN - {"cattrs"}) | {
    "httptools",
    "shutil",
    "sqlite3",
    "websockets",
}
HANDSHAKE = (
    {"id": 1, "method": "initialize", "params": {"clientInfo": {"name": "tester", "version": "1"}}},
    {"id": 2, "method": "thread/start", "params": {}},
)
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


def environment(home: Path, file: Path) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("CODEX", "OPENAI"))}
    return {**kept, "CODEX_HOME": str(home), "MODULES_FILE": str(file)}


def modules_after(home: Path, *arguments: str, stdin: str = "") -> set[str]:
    """Run the program; return the modules it had loaded when it wanted HTTP, or at its end when it did not."""
    file = home / "modules.txt"

    done = subprocess.run(
        [sys.executable, "-P", "-c", PROGRAM, *arguments],
        env=environment(home, file),
        cwd=home,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    return set(file.read_text().split())


def use_provider(home: Path, url: str) -> None:
    provider = {"name": "mock", "base_url": url, "wire_api": "responses"}
    table = "\n".join(f"{key} = {json.dumps(value)}" for key, value in provider.items())
    (home / "config.toml").write_text(f'model_provider = "mock"\n[model_providers.mock]\n{table}\n')


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
        use_provider(home, server.url)
        command = ["exec", "--dangerously-bypass-approvals-and-sandbox", "--skip-git-repo-check", "--json", "hello"]
        modules_after(home, *command)  # finds the plugins and remembers them

        modules = modules_after(home, *command)

    assert modules & NEVER_IN_A_TURN == set()
    assert len(modules) <= MODULES_OF_A_TURN


@pytest.mark.usefixtures("this_machine")
def test_a_server_with_a_thread_stays_within_its_budget_of_modules(home: Path) -> None:
    use_provider(home, "http://127.0.0.1:9/v1")
    lines = "".join(f"{json.dumps(message)}\n" for message in HANDSHAKE)
    modules_after(home, "app-server", stdin=lines)  # finds the plugins and remembers them

    modules = modules_after(home, "app-server", stdin=lines)

    assert modules & NEVER_IN_A_SERVER == set()
    assert {name for name in modules if name.startswith(("codex_tool_", "codex_git", "codex_file_search"))} == set()
    assert "codex_app_server.threads.loading" in modules
    assert len(modules) <= MODULES_OF_A_SERVER


@pytest.mark.usefixtures("this_machine")
def test_a_server_that_listens_stays_within_its_budget_of_modules(home: Path) -> None:
    modules_after(home, "app-server")  # finds the plugins and remembers them
    file = home / "modules.txt"

    with subprocess.Popen(
        [sys.executable, "-P", "-c", PROGRAM, "app-server", "--listen", "ws://127.0.0.1:0"],
        env=environment(home, file),
        cwd=home,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stderr is not None
            assert next(line for line in process.stderr if "healthz" in line)
            process.terminate()
            assert process.wait(60) == 0
        finally:
            process.kill()

    modules = set(file.read_text().split())
    assert modules & NEVER_IN_A_SERVER == set()
    assert len(modules) <= MODULES_OF_A_LISTENER


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
