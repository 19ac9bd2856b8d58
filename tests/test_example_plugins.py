"""The examples of plugins do in an installed program what their pages say."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from own_environment import make_environment
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from codex_testkit import Project
from codex_testkit.servers.responses import ResponsesServer

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted(path.parent for path in ROOT.glob("examples/*/pyproject.toml"))


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the interpreter of an environment that pip installed the examples into."""
    environment = tmp_path_factory.mktemp("installed") / "environment"
    folder = make_environment(environment)
    copies = tmp_path_factory.mktemp("copied")
    for example in EXAMPLES:
        shutil.copytree(example, copies / example.name)
    options = ["-q", "--no-deps", "--no-build-isolation", "--no-index", "--target", str(folder)]
    folders = [str(copies / example.name) for example in EXAMPLES]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, *folders], check=True, timeout=300)
    return environment / "bin" / "python"


@pytest.fixture
def trusted(project: Project, installed: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Project]:
    """Return what has a project whose program trusts one of the examples."""
    monkeypatch.setattr(sys, "executable", str(installed))

    def trusted(name: str) -> Project:
        assert f"not trusted (run: codex plugins trust {name})" in project.run("plugins", "list").stdout
        project.run("plugins", "trust", name).assert_success()
        listed = project.run("plugins", "list").stdout.splitlines()
        assert "enabled, trusted" in next(line for line in listed if line.startswith(name))
        return project

    return trusted


def turn(project: Project, script: list[list[dict[str, object]]], *options: str, sandbox: str = "danger-full-access"):
    """Run a turn in which the model plays a script; give what it said."""
    project.write({"script.json": json.dumps(script)})
    run = ["exec", "--json", "--skip-git-repo-check", "--sandbox", sandbox, "-c", "model_provider=scripted"]
    run += ["-c", f'model_providers.scripted.script="{project.root}/script.json"', *options, "go"]
    outcome = project.run(*run)
    outcome.assert_success()
    events = [event["item"] for event in outcome.events() if event.get("type") == "item.completed"]
    return [item["text"] for item in events if item["type"] == "agent_message"]


@contextmanager
def started(project: Project, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Have a server of the program run while the context is open."""
    program = Path(sys.executable).with_name("codex")
    environ = {**os.environ, "CODEX_HOME": str(project.home), "HOME": str(project.home)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([program, *arguments], cwd=project.root, env=environ, **pipes) as server:
        try:
            yield server
        finally:
            server.terminate()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_needs_no_workspace_and_is_named_alike_everywhere(example: Path) -> None:
    text = (example / "pyproject.toml").read_text()
    project = tomllib.loads(text)["project"]
    (name,) = project["entry-points"]["codex.plugins"]
    manifest = tomllib.loads(next(example.glob("src/*/codex-plugin.toml")).read_text())

    assert "workspace" not in text
    assert (project["name"], manifest["name"]) == (f"codex-{name}", name)
    assert manifest["version"] == project["version"]


def test_the_tool_and_the_stop_hook(trusted) -> None:
    script = [[{"call": "roll_dice", "args": {"sides": 1}}], [{"say": "a one; TODO: roll more"}], [{"say": "all done"}]]

    assert turn(trusted("hello"), script) == ["a one; TODO: roll more", "all done"]


def test_the_gate_keeps_a_command_from_being_run(trusted) -> None:
    project = trusted("hooks-no-push")

    turn(project, [[{"sh": "touch pushed; git push"}], [{"sh": "touch other"}], [{"say": "done"}]])

    assert not (project.root / "pushed").exists()
    assert (project.root / "other").exists()


def test_the_rules_of_a_company_go_before_those_of_the_user(trusted) -> None:
    project = trusted("policy-company")
    project.write({"~/rules/default.rules": 'prefix_rule(pattern=["terraform"], decision="allow")\n'})
    patch = {"patch": "*** Begin Patch\n*** Add File: list\n+a\n*** End Patch"}

    turn(project, [[{"sh": "touch applied && terraform apply"}, patch], [{"say": "done"}]])

    assert not (project.root / "applied").exists()
    assert (project.root / "list").exists()


def test_the_command_lists_threads(trusted) -> None:
    project = trusted("ui-recent")
    turn(project, [[{"say": "done"}]])

    found = project.run("recent", "5")

    found.assert_success()
    assert found.stdout.endswith(" go\n")
    assert project.run("recent", "many").status == 2


def test_the_method_is_served_to_clients(trusted) -> None:
    project = trusted("rpc-count")
    turn(project, [[{"say": "done"}]])
    project.run("plugins", "trust", "ui-recent").assert_success()
    thread_id = project.run("recent").stdout.split()[0]
    asked = [
        {"id": 0, "method": "initialize", "params": {"clientInfo": {"name": "test", "version": "1"}}},
        {"method": "initialized"},
        {"id": 1, "method": "example/count", "params": {"threadId": thread_id}},
    ]

    with started(project, "app-server") as server:
        server.stdin.writelines(json.dumps(line) + "\n" for line in asked)
        server.stdin.flush()
        answer = next(found for line in server.stdout if (found := json.loads(line)).get("id") == 1)

    assert answer["result"] == {"turns": 1, "items": 2}


def test_the_sink_is_told_to_be_called_by_nothing_yet(trusted) -> None:
    project = trusted("sink-journal")

    assert "notCalledYet: analytics_sink" in project.run("plugins", "show", "sink-journal").stdout
    turn(project, [[{"say": "done"}]])
    assert not (project.home / "journal.jsonl").exists()


def test_the_provider_answers_threads(trusted) -> None:
    project = trusted("model-gateway")
    with ResponsesServer([[{"say": "hello from there"}]]) as server:
        options = ["-c", "model_provider=gateway", "-c", f'model_providers.gateway.base_url="{server.url}"', "-m", "m"]
        run = project.run("exec", "--skip-git-repo-check", *options, "hi", environ={"GATEWAY_KEY": "secret"})

    run.assert_success()
    assert run.stdout.strip() == "hello from there"


def test_a_thread_works_in_the_environment(trusted) -> None:
    project = trusted("exec-plain")

    turn(project, [[{"sh": "echo made > there"}], [{"say": "done"}]], "-c", "environment=plain")

    assert (project.root / "there").read_text() == "made\n"


def test_the_environment_around_this_machine_gives_processes_variables(trusted) -> None:
    project = trusted("exec-variables").write({"~/config.toml": '[plugins.exec-variables.set]\nPLACE = "there"\n'})

    turn(project, [[{"sh": 'touch "$PLACE"'}], [{"say": "done"}]], "-c", "environment=variables")

    assert (project.root / "there").exists()


@pytest.mark.skipif(shutil.which("prlimit") is None, reason="there is no prlimit")
def test_the_launcher_around_the_programs_own_limits_what_that_one_restricts(trusted) -> None:
    project = trusted("sandbox-limits").write({"~/config.toml": "[plugins.sandbox-limits]\nfile_size = 1000\n"})
    script = [[{"sh": "head -c 2000 /dev/zero > big; touch ~/outside"}], [{"say": "done"}]]

    turn(project, script, sandbox="workspace-write")

    assert (project.root / "big").stat().st_size == 1000
    assert not (project.home / "outside").exists()


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="there is no bubblewrap")
def test_the_launcher_is_asked_before_the_programs_own(trusted) -> None:
    project = trusted("sandbox-bubble")

    turn(project, [[{"sh": "tr '\\0' ' ' < /proc/1/cmdline > parent"}]], sandbox="workspace-write")

    assert "bwrap --die-with-parent --unshare-user" in (project.root / "parent").read_text()


def test_threads_are_kept_in_the_store(trusted) -> None:
    project = trusted("store-sqlite")

    turn(project, [[{"say": "done"}]])
    resumed = project.run("exec", "resume", "--last", "--skip-git-repo-check", "more", "-c", "model_provider=scripted")

    resumed.assert_success()
    assert (project.home / "threads.sqlite").exists()
    assert not (project.home / "sessions").exists()


def test_who_knows_the_password_is_let_in(trusted) -> None:
    project = trusted("auth-password").write({"password": "open sesame\n"})
    options = ["--ws-auth", "password", "--ws-token-file", f"{project.root}/password"]

    with started(project, "exec-server", "--listen", "ws://127.0.0.1:0", *options) as server:
        url = server.stdout.readline().strip()
        with connect(url, additional_headers={"Authorization": "Bearer open sesame"}):
            pass
        with pytest.raises(InvalidStatus) as caught, connect(url, additional_headers={"Authorization": "Bearer x"}):
            pass

    assert caught.value.response.status_code == 401
