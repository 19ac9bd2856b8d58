"""Rules files that can't be used: the program starts no thread without them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

pytestmark = pytest.mark.usefixtures("this_machine")
CODEX = str(Path(sys.executable).with_name("codex"))
FORBIDDEN = 'prefix_rule(pattern=["touch"], decision="forbidden")\n'
TOUCH = [[{"sh": {"cmd": "touch made", "login": False}}], [{"say": "bye"}]]


@frozen
class Place:
    """A home and a project, and the program that works there."""

    home: Path
    project: Path

    def run(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("CODEX", "OPENAI"))}
        environ = {**kept, "HOME": str(self.home), "CODEX_HOME": str(self.home), "SHELL": "/bin/sh"}
        return subprocess.run(
            [CODEX, *words],
            cwd=self.project,
            env=environ,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def exec(self) -> subprocess.CompletedProcess[str]:
        return self.run("exec", "--json", "--dangerously-bypass-approvals-and-sandbox", "go")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path / "home", tmp_path / "project")
    made.home.mkdir()
    (made.project / ".git").mkdir(parents=True)
    (made.project / ".git" / "HEAD").touch()
    script = made.home / "script.json"
    script.write_text(json.dumps(TOUCH))
    (made.home / "config.toml").write_text(
        f'model_provider = "scripted"\n[model_providers.scripted]\nscript = {json.dumps(str(script))}\n'
        f'[projects."{made.project}"]\ntrust_level = "trusted"\n'
    )
    return made


def rules(folder: Path, text: str = FORBIDDEN) -> Path:
    (folder / "rules").mkdir(parents=True, exist_ok=True)
    file = folder / "rules" / "default.rules"
    file.write_text(text)
    return file


def _instead(make: Callable[[Path], object]) -> Callable[[Path], object]:
    def replace(file: Path) -> None:
        file.unlink()
        make(file)

    return replace


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda file: file.write_text(FORBIDDEN + 'prefix_rul(pattern=["x"])\n'), "default.rules:2: `prefix_rul`"),
        (
            lambda file: file.write_text(FORBIDDEN + 'prefix_rule(pattern=["x"], decision="deny")'),
            ":2: decision 'deny'",
        ),
        (lambda file: file.write_text(FORBIDDEN + 'prefix_rule(pattern=["x"], match=["y"])'), ":2: the example"),
        (lambda file: file.write_text(FORBIDDEN + "x = " + "[" * 5_000 + "]" * 5_000), ":2: too many nested"),
        (lambda file: file.write_bytes(FORBIDDEN.encode() + b"# \xff"), ":2: is not UTF-8"),
        (_instead(os.mkfifo), "default.rules: can't be read: it is not a regular file"),
        (_instead(Path.mkdir), "default.rules: can't be read: it is not a regular file"),
    ],
)
@pytest.mark.parametrize("whose", ["user", "project"])
def test_nothing_runs_when_rules_can_not_be_used(
    place: Place, whose: str, spoil: Callable[[Path], object], told: str
) -> None:
    spoil(rules(place.home if whose == "user" else place.project / ".codex"))

    done = place.exec()

    assert done.returncode == 1
    assert (
        done.stderr.strip().splitlines()[-1].startswith("Error: rules for commands can't be loaded, so none is run: ")
    )
    assert told in done.stderr
    assert not (place.project / "made").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_nothing_runs_when_rules_may_not_be_read(place: Place) -> None:
    rules(place.home).chmod(0)

    done = place.exec()

    assert done.returncode == 1
    assert "default.rules: can't be read: Permission denied" in done.stderr


def test_rules_of_a_project_that_is_not_trusted_are_not_read(place: Place) -> None:
    config = place.home / "config.toml"
    config.write_text(config.read_text().replace('"trusted"', '"untrusted"'))
    os.mkfifo(rules(place.project / ".codex", "").with_name("other.rules"))

    assert place.exec().returncode == 0
    assert (place.project / "made").exists()


def test_rules_below_a_project_s_root_may_forbid_and_not_allow(place: Place) -> None:
    rules(place.home, FORBIDDEN.replace("touch", "mkdir"))
    below = place.project / "sub"
    rules(below / ".codex", 'prefix_rule(pattern=["mkdir"])\n' + FORBIDDEN)
    (place.home / "script.json").write_text(
        json.dumps([[{"sh": {"cmd": cmd, "login": False}} for cmd in ("touch made", "mkdir made")], [{"say": "bye"}]])
    )

    done = Place(place.home, below).exec()

    assert done.returncode == 0
    assert not (below / "made").exists()


def test_an_app_server_starts_no_thread_once_rules_can_not_be_used(place: Place) -> None:
    file = rules(place.home)
    hello: list[dict[str, Any]] = [
        {"id": 1, "method": "initialize", "params": {"clientInfo": {"name": "test", "version": "1"}}},
        {"method": "initialized"},
    ]
    start = {"method": "thread/start", "params": {"cwd": str(place.project)}}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CODEX", "OPENAI"))}
    with subprocess.Popen(
        [CODEX, "app-server"], cwd=place.project, env={**kept, "CODEX_HOME": str(place.home)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as server:  # fmt: skip
        assert server.stdin is not None
        assert server.stdout is not None
        answers = []
        for number in (2, 3):
            server.stdin.writelines(json.dumps(message) + "\n" for message in [*hello, {"id": number, **start}])
            server.stdin.flush()
            hello.clear()
            for line in server.stdout:
                message = json.loads(line)
                if message.get("id") == number:
                    answers.append(message)
                    break
            file.write_text("prefix_rule(")
        server.stdin.close()

    assert "result" in answers[0]
    assert "default.rules:1: " in answers[1]["error"]["message"]


def test_checking_rules_that_can_not_be_used_fails(place: Place) -> None:
    file = rules(place.home)
    file.unlink()
    os.mkfifo(file)

    done = place.run("execpolicy", "check", "--rules", str(file), "ls")

    assert done.returncode == 1
    assert "default.rules: can't be read: it is not a regular file" in done.stderr


def test_the_user_can_leave_out_rules_files_and_a_project_can_not(place: Place) -> None:
    rules(place.home)
    yolo = "--dangerously-bypass-approvals-and-sandbox"
    (place.project / ".codex").mkdir()
    (place.project / ".codex" / "config.toml").write_text("ignore_rules = true\n")

    assert place.exec().returncode == 0
    assert not (place.project / "made").exists()

    assert place.run("exec", "--ignore-rules", yolo, "go").returncode == 0
    assert (place.project / "made").exists()
