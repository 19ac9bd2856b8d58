"""Without network a command reaches the proxies that its environment names, and nothing else."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from codex_hookspecs.errors import SandboxUnavailable
from codex_hookspecs.sandbox import LaunchRequest, SandboxPolicy
from codex_sandbox_bwrap.binary import probe_binary
from codex_sandbox_bwrap.launcher import BwrapLauncher
from codex_sandbox_bwrap.routes import KEYS, Route, proxy_routes
from codex_sandbox_bwrap.watchdog import Watchdog

LIMIT = 30
PYTHON = os.path.realpath(sys.executable)
needs_bwrap = pytest.mark.skipif(shutil.which("bwrap") is None, reason="bwrap is not installed")


@pytest.fixture
def echo(serve: Callable[[Callable[[socket.socket], None]], int]) -> int:
    """A server that sends a greeting, then echoes what it receives."""

    def answer(client: socket.socket) -> None:
        client.sendall(b"hello ")
        while data := client.recv(65536):
            client.sendall(data)

    return serve(answer)


def run(home: Path, code: str, **env: str) -> str:
    launcher = BwrapLauncher(probe_binary(str(shutil.which("bwrap")), str(home)), Watchdog(), str(home))
    launch = launcher.launch(
        LaunchRequest(
            argv=(PYTHON, "-I", "-S", "-c", code),
            cwd=str(home),
            env={"PATH": "/usr/bin:/bin", **env},
            policy=SandboxPolicy("readOnly"),
            managed_network=True,
        )
    )
    with launch:
        done = subprocess.run(
            ["bwrap", *launch.argv[1:]],
            executable=launch.argv[0],
            env=launch.env,
            pass_fds=launch.descriptors,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
    return f"{done.returncode} {done.stdout}{done.stderr}".strip()


CONNECT = """
import os, socket
host, port = os.environ["HTTP_PROXY"].rpartition("@")[2].removesuffix("/path").split(":")
with socket.create_connection((host, int(port)), 10) as s:
    s.sendall(b"x" * 1000000)
    s.shutdown(socket.SHUT_WR)
    taken = b""
    while data := s.recv(65536):
        taken += data
print(taken[:8], len(taken))
"""


@needs_bwrap
def test_a_proxy_is_reached_under_another_port(echo: int, tmp_path: Path) -> None:
    output = run(tmp_path, CONNECT, HTTP_PROXY=f"http://me:secret@127.0.0.1:{echo}/path")

    assert output == "0 b'hello xx' 1000006"
    assert os.listdir(tmp_path / "tmp") == []


@needs_bwrap
@pytest.mark.parametrize(
    "attack",
    [
        "socket.create_connection(('127.0.0.1', PORT), 5)",
        "socket.socket(socket.AF_UNIX)",
        "socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)",
        "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
        "[open(f'/proc/{p}/mem', 'r+b') for p in os.listdir('/proc') if p.isdigit() and int(p) != os.getpid()][0]",
    ],
)
def test_nothing_else_is_reached(attack: str, echo: int, tmp_path: Path) -> None:
    code = f"import os, socket\ntry:\n    {attack.replace('PORT', str(echo))}\nexcept OSError: print('held')"

    assert run(tmp_path, code, HTTP_PROXY=f"127.0.0.1:{echo}") == "0 held"


@needs_bwrap
@pytest.mark.parametrize(
    ("code", "status"), [("import sys; sys.exit(7)", "7"), ("import os; os.kill(os.getpid(), 9)", "137")]
)
def test_the_exit_status_of_the_command_is_passed_on(code: str, status: str, echo: int, tmp_path: Path) -> None:
    assert run(tmp_path, code, http_proxy=f"http://localhost:{echo}") == status


@needs_bwrap
def test_variables_of_other_proxies_are_removed(echo: int, tmp_path: Path) -> None:
    code = "import os; print(sorted(k for k in os.environ if 'PROXY' in k.upper()))"

    output = run(tmp_path, code, HTTP_PROXY=f"http://127.0.0.1:{echo}", HTTPS_PROXY="http://far.example:80")

    assert output == "0 ['HTTP_PROXY']"


def test_sockets_of_processes_that_are_gone_are_removed(echo: int, tmp_path: Path) -> None:
    gone = tmp_path / "tmp" / "codex-linux-sandbox-proxy-999999999-x"
    gone.mkdir(parents=True)

    if shutil.which("bwrap"):
        run(tmp_path, "pass", HTTP_PROXY=f"http://127.0.0.1:{echo}")

        assert not gone.exists()


@pytest.mark.parametrize(
    ("value", "route"),
    [
        ("http://127.0.0.1:8080", Route("HTTP_PROXY", "127.0.0.1", 8080, "http://", "")),
        ("https://localhost", Route("HTTP_PROXY", "localhost", 443, "https://", "")),
        ("socks5h://[::1]/x", Route("HTTP_PROXY", "::1", 1080, "socks5h://", "/x")),
        ("http://a:b@127.0.0.9/p/q", Route("HTTP_PROXY", "127.0.0.9", 80, "http://a:b@", "/p/q")),
        ("127.0.0.1:3128", Route("HTTP_PROXY", "127.0.0.1", 3128, "", "")),
    ],
)
def test_endpoints_are_read_with_their_default_ports(value: str, route: Route) -> None:
    assert proxy_routes({"HTTP_PROXY": value}) == (route,)


@pytest.mark.parametrize(
    ("env", "problem"),
    [
        ({}, "managed proxy mode requires proxy environment variables"),
        ({"HTTP_PROXY": " "}, "managed proxy mode requires proxy environment variables"),
        ({"ALL_PROXY": "http://far.example:1"}, "managed proxy mode requires parseable loopback proxy endpoints"),
        ({"pip_proxy": "http://127.0.0.1:x"}, "managed proxy mode requires parseable loopback proxy endpoints"),
    ],
)
def test_without_a_proxy_the_command_is_refused(env: dict[str, str], problem: str) -> None:
    with pytest.raises(SandboxUnavailable, match=problem):
        proxy_routes(env)


def test_the_known_variables_are_fourteen() -> None:
    assert len(KEYS) == 14
