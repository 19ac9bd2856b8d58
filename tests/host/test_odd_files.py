"""Settings, state and arguments that are damaged on purpose end in one clear error, or count as absent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from codex_testkit.project import Project, RunOutcome
from ordinary_user import as_ordinary_user

DEEP = "[" * 100_000 + "]" * 100_000


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def play(project: Project, *rounds: object, options: tuple[str, ...] = ()) -> RunOutcome:
    project.write({"~/script.json": json.dumps([*rounds, [{"say": "done"}]])})
    return project.run(
        "-c", "model_provider=scripted", *options, "exec", "--skip-git-repo-check", "--json", "hello",
        environ={"CODEX_MODEL_SCRIPT": str(project.home / "script.json")}, limit=60,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        ("config.toml", f"a = {DEEP}", "config.toml: is not TOML: nested more than 127 levels deep"),
        ("config.toml", "a" + ".a" * 5_000 + " = 1", "config.toml: is not TOML: nested more than 127 levels deep"),
        ("config.toml", "pipe", "config.toml: is a pipe, expected a file"),
        ("config.toml", "/dev/zero", "config.toml: is a device, expected a file"),
        ("hooks.json", DEEP, "hooks.json: recursion limit exceeded"),
        ("hooks.json", "pipe", "hooks.json: is a pipe, expected a file"),
        ("hooks.json", "/dev/zero", "hooks.json: is a device, expected a file"),
        ("AGENTS.md", "pipe", "AGENTS.md is left out: it is a pipe, expected a file"),
        ("AGENTS.md", "/dev/zero", "AGENTS.md is left out: it is a device, expected a file"),
        ("auth.json", "", ""),
        ("session_index.jsonl", DEEP, ""),
        ("plugins/trust.json", DEEP, ""),
        ("plugins/ledger.json", DEEP, ""),
        ("plugins/ledger.json", "pipe", ""),
    ],
)
def test_an_odd_file_of_the_home_is_told_or_left_out(project: Project, file: str, content: str, told: str) -> None:
    path = project.home / file
    path.parent.mkdir(exist_ok=True)
    if content == "pipe":
        os.mkfifo(path)
    elif content == "/dev/zero":
        path.symlink_to(content)
    else:
        path.write_text(content)

    ran = play(project)

    output = ran.stdout + ran.stderr
    assert "internal error" not in output
    assert "Traceback" not in output
    assert told in output
    assert ran.status == (1 if file == "config.toml" else 0)


@pytest.mark.parametrize("content", [DEEP, "pipe", "/dev/zero"])
def test_odd_credentials_are_one_error(project: Project, content: str) -> None:
    path = project.home / "auth.json"
    if content == "pipe":
        os.mkfifo(path)
    elif content == "/dev/zero":
        path.symlink_to(content)
    else:
        path.write_text(content)

    ran = project.run("exec", "--skip-git-repo-check", "hello", limit=60)

    assert ran.status == 1
    assert "auth.json" in ran.stderr
    assert "can't be read" in ran.stderr
    assert "internal error" not in ran.stderr


def test_every_file_of_a_person_may_have_a_byte_order_mark(project: Project, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    hook = {"hooks": {"SessionStart": [{"hooks": [{"type": "command", "command": f"touch {mark}"}]}]}}
    project.write(
        {"~/config.toml": "\ufeffmodel_reasoning_summary = 'none'\n", "~/hooks.json": f"\ufeff{json.dumps(hook)}"}
    )

    play(project).assert_success()

    assert mark.exists()


@pytest.mark.parametrize("value", [f"a={DEEP}", "a" + ".a" * 5_000 + "=1", "a=" + "{a=" * 5_000 + "1" + "}" * 5_000])
def test_a_deep_value_of_the_command_line_is_one_error(project: Project, value: str) -> None:
    if len(value) > 100_000:
        value = value[:50_000].rstrip("]")

    ran = project.run("-c", value, "features", "list")

    assert ran.status == 2
    assert "127" in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("tool", ["exec_command", "update_plan", "view_image", "write_stdin"])
def test_deep_arguments_are_one_parse_error_for_the_model(project: Project, tool: str) -> None:
    call = {"call": tool, "args": '{"cmd": "touch made", "x": ' + "[" * 5_000 + "]" * 5_000 + "}", "call_id": "c"}

    ran = play(project, [call])

    ran.assert_success()
    [rollout] = (project.home / "sessions").rglob("*.jsonl")
    outputs = [
        line["payload"] for line in map(json.loads, rollout.read_text().splitlines()) if "output" in line["payload"]
    ]
    [output] = [payload["output"] for payload in outputs if payload.get("type") == "function_call_output"]
    assert output == "failed to parse function arguments: recursion limit exceeded"
    assert not (project.root / "made").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_home_that_can_t_be_entered_is_one_error(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o000)
    program = [str(Path(sys.executable).with_name("codex")), "exec", "hi"]

    done = subprocess.run(
        as_ordinary_user(program), cwd="/",
        env={**os.environ, "CODEX_HOME": str(home)}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert done.returncode == 1
    assert done.stderr.startswith("Error: "), done.stderr
    assert str(home) in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_working_directory_that_can_t_be_entered_is_one_error() -> None:
    with tempfile.TemporaryDirectory() as folder:
        closed, home = Path(folder) / "closed", Path(folder) / "home"
        closed.mkdir(mode=0o600)
        home.mkdir()
        home.chmod(0o777)
        Path(folder).chmod(0o755)
        program = [str(Path(sys.executable).with_name("codex")), "exec", "-C", str(closed), "hi"]

        done = subprocess.run(
            as_ordinary_user(program), cwd="/",
            env={**os.environ, "CODEX_HOME": str(home)}, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    assert done.returncode == 1
    assert done.stderr == f"Error: working directory {closed} can't be entered: permission denied\n"


def test_a_home_that_is_a_file_is_one_error(project: Project) -> None:
    (project.root / "file").write_text("")

    ran = project.run("exec", "hi", environ={"CODEX_HOME": str(project.root / "file")})

    assert (ran.status, ran.stdout) == (1, "")
    assert "which is not a directory" in ran.stderr
