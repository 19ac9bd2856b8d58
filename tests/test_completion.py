"""Completion scripts, in the shells that they are made for."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

import pytest

PROGRAM = Path(sys.executable).with_name("codex")
LIMIT = 60
COMPLETE_IN_BASH = """
source "$1"
shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_codex
printf '%s\\n' "${COMPREPLY[@]}"
"""
CASES = [
    (["co"], ["completion"]),
    (["exec", "res"], ["resume"]),
    (["-m", "x", "-C", "exec", "exec", "--full-auto", "res"], ["resume"]),
    (["review", "--comm"], ["--commit"]),
    (["exec", "-s", ""], ["danger-full-access", "read-only", "workspace-write"]),
    (["exec", "resume", "--sandbox", "rea"], ["read-only"]),
    (["-a", "un"], ["untrusted"]),
    (["features", "enable", "hoo"], ["hooks"]),
    (["plugins", "show", "exec-l"], ["exec-local"]),
    (["-p", ""], ["fast", "slow", "team", "two words"]),
    (["help", "exe"], ["exec", "exec-server", "execpolicy"]),
    (["help", "exec", "res"], ["resume"]),
    (["plugins", "trust", ""], []),
    (["app-server", "--ws-auth", ""], ["capability-token", "signed-bearer-token"]),
    (["exec-server", "--listen", "st"], ["stdio"]),
    (["app-server", "proxy", "--s"], ["--sock", "--strict-config", "--strict-plugins"]),
    (["app-server", "proxy", "--ws"], []),
    (["exec", "-o", "not"], ["notes.txt"]),
    (["exec", "--add-dir", "n"], ["nested"]),
    (["sandbox", "lin"], ["linux"]),
    (["sandbox", "linux", "cat", "not"], ["notes.txt"]),
    (["exec", "--", "res"], []),
    (["exec", "hello", "res"], []),
    (["completion", "f"], ["fish"]),
    (["hooks", "tr"], ["trust"]),
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("completion")
    (folder / "home").mkdir()
    (folder / "home" / "config.toml").write_text(
        '[profiles.fast]\n[profiles.slow.features]\n[profiles."two words"]\n[profiles."$(touch made)"]\n'
    )
    (folder / "home" / "team.config.toml").touch()
    (folder / "home" / "$(touch made).config.toml").touch()
    (folder / "nested").mkdir()
    (folder / "notes.txt").touch()
    for shell in ("bash", "fish", "zsh"):
        (folder / f"codex.{shell}").write_text(run(folder, str(PROGRAM), "completion", shell))
    return folder


def environ(folder: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(folder), "CODEX_HOME": str(folder / "home"), "TERM": "dumb"}


def run(folder: Path, *command: str) -> str:
    done = subprocess.run(
        command, cwd=folder, env=environ(folder), capture_output=True, text=True, timeout=LIMIT, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def need(shell: str) -> str:
    found = shutil.which(shell)
    if found is None:
        pytest.skip(f"{shell} is not installed")
    return found


@pytest.mark.parametrize(("words", "wanted"), CASES, ids=" ".join)
def test_bash_completes(place: Path, words: list[str], wanted: list[str]) -> None:
    shown = run(place, need("bash"), "-c", COMPLETE_IN_BASH, "bash", str(place / "codex.bash"), "codex", *words)

    found = sorted(line.replace("\\ ", " ") for line in shown.splitlines() if line)
    assert found == wanted
    assert not (place / "made").exists()


@pytest.mark.parametrize(("words", "wanted"), CASES, ids=" ".join)
def test_fish_completes(place: Path, words: list[str], wanted: list[str]) -> None:
    line = " ".join(("codex", *words))
    code = f"source {place}/codex.fish; complete -C '{line}'"

    shown = run(place, need("fish"), "--no-config", "-c", code)

    found = sorted({each.partition("\t")[0].rstrip("/") for each in shown.splitlines()})
    assert found == wanted
    assert not (place / "made").exists()


def test_zsh_completes(place: Path) -> None:
    shell = need("zsh")
    typed = {
        "codex comp\t": "codex completion",
        "codex exec res\t": "codex exec resume",
        "codex -m x -C exec exec --full-auto res\t": "--full-auto resume",
        "codex review --comm\t": "codex review --commit",
        "codex exec resume --sandbox rea\t": "--sandbox read-only",
        "codex exec --sandbox=rea\t": "--sandbox=read-only",
        "codex features enable hoo\t": "codex features enable hooks",
        "codex plugins show exec-l\t": "codex plugins show exec-local",
        "codex -p fa\t": "codex -p fast",
        "codex -p tw\t": "codex -p two\\ words",
        "codex -p te\t": "codex -p team",
        "codex help exec res\t": "codex help exec resume",
        "codex app-server --ws-auth cap\t": "--ws-auth capability-token",
        "codex exec -o not\t": "codex exec -o notes.txt",
        "codex sandbox linux cat not\t": "cat notes.txt",
    }
    begin = f"autoload -Uz compinit; compinit -u -D; source {place}/codex.zsh; PS1='ready> '\n"
    with Terminal([shell, "-f", "-i"], place) as terminal:
        terminal.type(begin)
        terminal.wait_for("ready> ", after="\n")
        for keys, wanted in typed.items():
            terminal.type(keys)
            terminal.wait_for(wanted)
            terminal.type("\x15\r")
            terminal.wait_for("ready> ", after="\n")


class Terminal:
    """A program on a terminal of its own."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self._master, inner = pty.openpty()
        self._process = subprocess.Popen(
            command, cwd=folder, env=environ(folder), stdin=inner, stdout=inner, stderr=inner, start_new_session=True
        )
        os.close(inner)
        self._shown = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait(LIMIT)
        os.close(self._master)

    def type(self, keys: str) -> None:
        self._shown = ""
        os.write(self._master, keys.encode())

    def wait_for(self, text: str, *, after: str = "") -> None:
        until = time.monotonic() + LIMIT
        while text not in (self._shown.partition(after)[2] if after else self._shown):
            ready, _, _ = select.select([self._master], [], [], max(0.0, until - time.monotonic()))
            assert ready, self._shown
            self._shown += os.read(self._master, 4096).decode(errors="replace")


@pytest.mark.parametrize("shell", ["elvish", "powershell"])
def test_a_shell_without_a_script_is_told(place: Path, shell: str) -> None:
    done = subprocess.run(
        [PROGRAM, "completion", shell], env=environ(place), capture_output=True, text=True, timeout=LIMIT, check=False
    )

    assert (done.returncode, done.stdout) == (2, "")
    assert f"there is no completion script for {shell}: only for bash, fish and zsh" in done.stderr


def test_bash_is_the_default(place: Path) -> None:
    assert run(place, str(PROGRAM), "completion") == (place / "codex.bash").read_text()
