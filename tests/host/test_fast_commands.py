"""A command of a first-party plugin is run without the rest of the program once it is known to be able to."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from codex_hookspecs.ports.surface import CliCommand
from codex_host.fast_commands import remember_fast_command, run_fast_command

PROGRAM = """
import sys
sys.path.insert(0, sys.argv.pop(1))
from codex_host.cli import main
sys.exit(main(sys.argv[1:]))
"""


async def slow_way(arguments: object, host: object) -> int:
    return 0


@pytest.fixture
def home(tmp_path: Path) -> Path:
    remember_fast_command(CliCommand(name="short", help="", run=slow_way, shortcut="short_way"), str(tmp_path))
    return tmp_path


def run(home: Path, body: str, *words: str) -> subprocess.CompletedProcess[str]:
    (home / "short_way.py").write_text(f"def run(arguments, home):\n    {body}\n")
    env = {**os.environ, "CODEX_HOME": str(home)}
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, str(home), *words],
        env=env, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip


def test_the_short_way_gets_the_words_and_ends_the_program(home: Path) -> None:
    done = run(home, "print(arguments, home); return 7", "short", "-c", "x=1", "--", "y")

    assert (done.returncode, done.stdout) == (7, f"['-c', 'x=1', '--', 'y'] {home}\n")


def test_what_asks_for_more_is_run_as_any_other_command(home: Path) -> None:
    done = run(home, "return None", "short")

    assert done.returncode == 2
    assert "unrecognized subcommand 'short'" in done.stderr


def test_an_error_of_the_short_way_is_one_line(home: Path) -> None:
    done = run(home, "import codex_hookspecs.errors as e; raise e.SandboxUnavailable('no')", "short")

    assert (done.returncode, done.stderr) == (1, "Error: no\n")


@pytest.mark.parametrize("text", ["", "/elsewhere\nshort_way\n", f"{sys.prefix}\nno_such_module\n", "\0\n\n\n"])
def test_what_is_remembered_wrongly_is_passed_over(text: str, tmp_path: Path) -> None:
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "shortcut-short").write_text(text)

    run_fast_command(["short"], {"CODEX_HOME": str(tmp_path)})


@pytest.mark.parametrize("text", ["/elsewhere\nshort_way\n", f"{sys.prefix}\nrenamed_module\n"])
def test_an_outdated_shortcut_is_replaced(text: str, home: Path) -> None:
    (home / "plugins" / "shortcut-short").write_text(text)

    remember_fast_command(CliCommand(name="short", help="", run=slow_way, shortcut="short_way"), str(home))

    assert run(home, "return 7", "short").returncode == 7


def test_only_names_of_commands_are_looked_for(tmp_path: Path) -> None:
    run_fast_command(["../x"], {"CODEX_HOME": str(tmp_path)})
    run_fast_command([], {})


@pytest.mark.parametrize("kind", ["pipe", "device", "large"])
def test_what_is_no_small_file_is_no_shortcut(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "plugins" / "shortcut-short"
    file.parent.mkdir()
    if kind == "pipe":
        os.mkfifo(file)
    elif kind == "device":
        file.symlink_to("/dev/zero")
    else:
        with file.open("wb") as opened:
            opened.truncate(3 * 1024**3)

    run_fast_command(["short"], {"CODEX_HOME": str(tmp_path)})
