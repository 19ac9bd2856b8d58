"""Called by the name of the helper, the program runs a command under the policy of its command line."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

LIMIT = 30
READ = {"path": {"type": "special", "value": {"kind": "root"}}, "access": "read"}
WRITE = {"path": {"type": "special", "value": {"kind": "current_working_directory"}}, "access": "write"}
NO_SOCKETS = "import socket\ntry: socket.socket()\nexcept PermissionError: print('no sockets')"
needs_bwrap = pytest.mark.skipif(shutil.which("bwrap") is None, reason="bwrap is not installed")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "ws"
    folder.mkdir()
    return folder


def helper(cwd: Path, *words: str, **env: str) -> tuple[int, str, str]:
    link = cwd.parent / "codex-linux-sandbox"
    if not link.exists():
        link.symlink_to(Path(sys.executable).with_name("codex"))
    done = subprocess.run(
        [link, *words],
        cwd=cwd,
        env={**os.environ, "CODEX_HOME": str(cwd.parent), **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@needs_bwrap
def test_a_policy_in_the_form_of_0_118_is_enforced(workspace: Path) -> None:
    files = json.dumps({"kind": "restricted", "entries": [READ, WRITE]})
    words = ("--sandbox-policy-cwd", str(workspace), "--command-cwd", str(workspace))
    policy = ("--file-system-sandbox-policy", files, "--network-sandbox-policy", '"restricted"')
    script = "touch made && echo made; mkdir .git/hooks || touch ../outside || exit 5"

    status, output, _ = helper(workspace, *words, *policy, "--no-proc", "--", "sh", "-c", script)

    assert (status, output) == (5, "made\n")
    assert os.listdir(workspace) == ["made"]


@needs_bwrap
def test_a_policy_in_the_form_of_0_169_is_enforced(workspace: Path) -> None:
    files = {"type": "restricted", "entries": [READ]}
    profile = json.dumps({"type": "managed", "file_system": files, "network": "restricted"})

    status, _, errors = helper(workspace, "--permission-profile", profile, "--", "touch", "made")

    assert status == 1
    assert "Read-only file system" in errors


def test_inside_a_sandbox_only_the_filter_is_applied(workspace: Path) -> None:
    words = ("--sandbox-policy", '{"type":"read-only"}', "--apply-seccomp-then-exec", "--")

    assert helper(workspace, *words, sys.executable, "-c", NO_SOCKETS) == (0, "no sockets\n", "")
    assert helper(workspace, *words, "/no/such") == (127, "", "codex: /no/such: No such file or directory\n")


def lingering(word: str) -> list[str]:
    """Return the processes with a word in their command line that are left after a while."""
    deadline = time.monotonic() + LIMIT
    while True:
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                if word.encode() in Path("/proc", pid, "cmdline").read_bytes():
                    found.append(pid)
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(0.01)


def test_inside_a_sandbox_the_sockets_of_bridges_become_ports(workspace: Path, tmp_path: Path) -> None:
    path = tmp_path / "proxy-route-0.sock"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()

    def greet() -> None:
        with listener.accept()[0] as client:
            client.sendall(b"welcome")

    threading.Thread(target=greet, daemon=True).start()
    spec = json.dumps({"routes": [{"env_key": "HTTP_PROXY", "uds_path": str(path)}]})
    ask = (
        "import os, socket\nhost, port = os.environ['HTTP_PROXY'].removeprefix('http://').split(':')\n"
        "print(port != '9', socket.create_connection((host, int(port)), 5).recv(9))"
    )
    words = ("--sandbox-policy", '{"type":"read-only"}', "--apply-seccomp-then-exec", "--proxy-route-spec", spec, "--")

    found = helper(workspace, *words, sys.executable, "-c", ask, HTTP_PROXY="http://127.0.0.1:9")
    listener.close()

    assert found == (0, "True b'welcome'\n", "")
    assert lingering(str(path)) == []


@pytest.mark.parametrize(
    ("words", "status", "errors"),
    [
        (("--", "ls"), 1, "Error: missing sandbox policy configuration\n"),
        (("--sandbox-policy", '{"type":"read-only"}'), 1, "Error: codex-linux-sandbox got no command to run\n"),
        (
            ("--sandbox-policy", '{"type":"read-only"}', "--command-cwd", "/no/such", "ls"),
            1,
            "Error: the command was not run: --command-cwd /no/such is no directory\n",
        ),
        (("--sandbox-policy", '{"type":"read-only"}', "no-such"), 127, "codex: command not found: no-such\n"),
        pytest.param(
            ("--sandbox-policy", '{"type":"read-only"}', "--allow-network-for-proxy", "ls"),
            1,
            "Error: the command was not run: managed proxy mode requires proxy environment variables; set HTTP_PROXY\n",
            marks=needs_bwrap,
        ),
    ],
)
def test_an_error_is_one_line(words: tuple[str, ...], status: int, errors: str, workspace: Path) -> None:
    none = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"), "")

    assert helper(workspace, *words, **none) == (status, "", errors)
