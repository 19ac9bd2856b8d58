"""Files that outlive the program: changed by one process at a time, private to the user."""

from __future__ import annotations

import fcntl
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from codex_hookspecs.errors import ConfigError
from codex_hookspecs.state_file import LOCK_FILE, locked
from codex_host.config.edit import edit_file
from codex_testkit.project import Project

CODEX = str(Path(sys.executable).with_name("codex"))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_no_change_is_lost_when_many_programs_make_one_at_once(project: Project) -> None:
    names = json.loads(project.run("plugins", "list", "--json").stdout)
    wanted = [plugin["name"] for plugin in names][:8]
    environ = {**os.environ, "CODEX_HOME": str(project.home), "HOME": str(project.home)}
    commands = [
        *(["plugins", "disable", name] for name in wanted),
        *(["features", "enable", name] for name in ("undo", "js_repl")),
        *(["plugins", "disable", name, "--project"] for name in wanted[:2]),
    ]

    running = [
        subprocess.Popen([CODEX, *command], cwd=project.root, env=environ, stdout=subprocess.PIPE)
        for command in commands
    ]
    for process in running:
        process.communicate(timeout=120)

    text = (project.home / "config.toml").read_text()
    assert [process.returncode for process in running] == [0] * len(running)
    assert text.count("enabled = false") == len(wanted) + 2
    assert text.count(" = true") == 2


def test_a_lock_that_is_never_free_is_waited_for_with_a_bound(tmp_path: Path) -> None:
    with (tmp_path / LOCK_FILE).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)

        held = locked(tmp_path / "state.json", seconds=0.1)
        with pytest.raises(OSError, match=r"another program has held .*\.state\.lock for 0\.1 s"), held:
            pass


def test_a_home_that_can_t_be_written_is_one_error(tmp_path: Path) -> None:
    file = tmp_path / "home"
    file.write_text("")

    with pytest.raises(ConfigError) as caught:
        edit_file(f"{file}/config.toml", {"a": 1})

    assert str(caught.value).startswith(f"{file}/config.toml: can't be changed: ")


def test_a_changed_file_keeps_its_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(b"\xef\xbb\xbfa = 1\r\n")

    edit_file(str(file), {"b": 2})

    assert file.read_bytes() == b"\xef\xbb\xbfa = 1\r\nb = 2\n"


def test_what_the_program_makes_in_its_home_is_private(project: Project) -> None:
    hook = {"type": "command", "command": "head -c 100000 /dev/zero | tr '\\0' 'a b'"}
    project.write(
        {
            "~/hooks.json": json.dumps({"hooks": {"SessionStart": [{"hooks": [hook]}]}}),
            "~/mine/notes": "",
            "~/script.json": json.dumps([[{"sh": "ls"}], [{"say": "done"}]]),
        }
    )
    before = {path: path.stat().st_mode for path in (project.home, *project.home.rglob("*"))}
    old = os.umask(0)
    try:
        ran = project.run(
            "-c", "model_provider=scripted", "exec", "--skip-git-repo-check", "hello",
            environ={"CODEX_MODEL_SCRIPT": str(project.home / "script.json")},
        )  # fmt: skip
        project.run("plugins", "disable", "tool-plan")
    finally:
        os.umask(old)

    ran.assert_success()
    made = [path for path in project.home.rglob("*") if path not in before and ".cache" not in path.parts]
    names = {path.relative_to(project.home).parts[0] for path in made}
    assert {"sessions", "state_5.sqlite", "plugins", "config.toml", LOCK_FILE, "hook_outputs"} <= names
    open_to_others = {str(path): oct(path.stat().st_mode) for path in made if stat.S_IMODE(path.stat().st_mode) & 0o077}
    assert open_to_others == {}
    assert {path: path.stat().st_mode for path in before} == before


def test_a_home_that_is_not_there_is_made_private(tmp_path: Path) -> None:
    environ = {key: value for key, value in os.environ.items() if key != "CODEX_HOME"}
    subprocess.run([CODEX, "plugins", "list"], env={**environ, "HOME": str(tmp_path)}, capture_output=True, check=True)

    assert stat.S_IMODE((tmp_path / ".codex").stat().st_mode) == 0o700
