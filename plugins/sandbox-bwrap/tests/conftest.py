"""Run the whole program, with a model that calls a script."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import socketserver
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from codex_testkit.servers.responses import ResponsesServer

LIMIT = 60
CODEX = "import sys; from codex_host.cli import main; sys.exit(main())"

Codex = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def codex(home: Path) -> Codex:
    """Runs the program: arguments, ``cwd``, and environment variables by name."""

    def run(*arguments: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("CODEX", "OPENAI"))}
        given = {"CODEX_HOME": str(home), "SHELL": "/bin/sh"}
        given["NO_PROXY"] = given["no_proxy"] = "127.0.0.1"  # The mock model server.
        return subprocess.run(
            [sys.executable, "-I", "-c", CODEX, *arguments],
            cwd=cwd,
            env={**kept, **given, **env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )

    return run


@pytest.fixture
def turn(home: Path, codex: Codex) -> Callable[..., tuple[list[str], str]]:
    """Runs ``codex exec``; returns the warnings for the user, and the script's output as the model gets it."""

    def run(mode: str, script: str, *, cwd: Path, config: str = "", **env: str) -> tuple[list[str], str]:
        with ResponsesServer() as server:
            server.play([[{"sh": script}], [{"say": "done"}]])
            (home / "config.toml").write_text(
                'model = "m"\nmodel_provider = "mock"\n'
                "[sandbox_workspace_write]\nexclude_slash_tmp = true\nexclude_tmpdir_env_var = true\n"
                f'[model_providers.mock]\nname = "mock"\nbase_url = "{server.url}"\nwire_api = "responses"\n{config}\n'
            )
            done = codex("exec", "--json", "--skip-git-repo-check", "-s", mode, "go", cwd=cwd, **env)
            outputs = [item for item in server.turns[-1].body["input"] if item.get("type") == "function_call_output"]
        assert done.returncode == 0, done.stderr
        events = [json.loads(line) for line in done.stdout.splitlines()]
        items = [event["item"] for event in events if event["type"] == "item.completed"]
        return [item["message"] for item in items if item["type"] == "error"], str(outputs[-1]["output"])

    return run


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[socket.socket], None]], int]]:
    """Serves connections to this machine with a function until the test is over; returns the port.

    A thread that waits in ``accept`` must have ended before its socket is closed: whenever the thread gets a signal,
    the kernel repeats the call with the same descriptor, which may be the one of the next test's server by then.
    """
    with contextlib.ExitStack() as stack:

        def start(answer: Callable[[socket.socket], None]) -> int:
            class Handler(socketserver.BaseRequestHandler):
                def handle(self) -> None:
                    answer(self.request)

            server = stack.enter_context(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler))
            server.daemon_threads = True
            thread = threading.Thread(target=server.serve_forever, args=(0.05,))
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            return int(server.server_address[1])

        yield start
