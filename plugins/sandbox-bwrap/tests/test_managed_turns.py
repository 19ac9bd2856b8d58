"""Commands of a whole turn reach the proxies of a managed network and nothing else, or do not run."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Codex = Callable[..., "subprocess.CompletedProcess[str]"]
Turn = Callable[..., tuple[list[str], str]]
Serve = Callable[[Callable[[socket.socket], None]], int]
ASK = (
    "import os, socket, sys\n"
    "host, port = os.environ[sys.argv[1]].removeprefix('http://').split(':')\n"
    "print('proxy says', socket.create_connection((host, int(port)), 5).recv(9).decode())\n"
    "try:\n    socket.create_connection(('127.0.0.1', int(sys.argv[2])), 5)\n"
    "except OSError:\n    print('nothing else is there')"
)
ON = "[features]\nnetwork_proxy = true"
MODES = ("read-only", "workspace-write", "danger-full-access")
needs_bwrap = pytest.mark.skipif(shutil.which("bwrap") is None, reason="bwrap is not installed")


@pytest.fixture
def port(serve: Serve) -> int:
    """A server that sends a greeting."""
    return serve(lambda client: client.sendall(b"welcome"))


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "ws"
    folder.mkdir()
    (folder / "ask.py").write_text(ASK)
    return folder


@needs_bwrap
@pytest.mark.parametrize("mode", MODES)
def test_commands_of_a_turn_reach_the_proxy_of_the_environment(
    mode: str, port: int, turn: Turn, workspace: Path
) -> None:
    ask = f"{sys.executable} -I -S ask.py HTTP_PROXY {port}"

    _, output = turn(mode, ask, cwd=workspace, config=ON, HTTP_PROXY=f"http://127.0.0.1:{port}")

    assert output.endswith("proxy says welcome\nnothing else is there\n")


@needs_bwrap
def test_commands_of_a_turn_reach_the_proxy_of_the_configuration(port: int, turn: Turn, workspace: Path) -> None:
    ask = f"{sys.executable} -I -S ask.py https_proxy {port}"
    config = f'[features.network_proxy]\nenabled = true\nproxy_url = "http://127.0.0.1:{port}"'

    _, output = turn("workspace-write", ask, cwd=workspace, config=config)

    assert output.endswith("proxy says welcome\nnothing else is there\n")


@needs_bwrap
@pytest.mark.parametrize(("mode", "proxy"), [(MODES[0], ""), (MODES[2], "http://far.example:3128")])
def test_without_a_proxy_on_this_machine_nothing_runs(mode: str, proxy: str, turn: Turn, workspace: Path) -> None:
    none = dict.fromkeys(("HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"), "")

    _, output = turn(mode, "touch ran", cwd=workspace, config=ON, HTTP_PROXY=proxy, **none)

    assert "the command was not run: managed proxy mode requires" in output
    assert not (workspace / "ran").exists()


@pytest.mark.parametrize("mode", MODES[1:])
def test_without_bubblewrap_nothing_runs(mode: str, port: int, turn: Turn, workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "sh").symlink_to("/bin/sh")
    proxy = f"http://127.0.0.1:{port}"

    _, output = turn(mode, "echo > ran", cwd=workspace, config=ON, HTTP_PROXY=proxy, PATH=str(tmp_path / "bin"))

    assert "sandbox-landlock can't connect a command to the proxies of a managed network" in output
    assert not (workspace / "ran").exists()


@needs_bwrap
def test_the_sandbox_command_obeys_the_setting(port: int, codex: Codex, home: Path, workspace: Path) -> None:
    (home / "config.toml").write_text(ON)
    ask = (sys.executable, "-I", "-S", "ask.py", "HTTP_PROXY", str(port))

    done = codex("sandbox", "linux", "--", *ask, cwd=workspace, HTTP_PROXY=f"127.0.0.1:{port}")

    assert (done.stdout, done.stderr) == ("proxy says welcome\nnothing else is there\n", "")
