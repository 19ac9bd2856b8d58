"""A trace that a client or the environment names is sent on to the model."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from codex_testkit.servers.responses import ResponsesServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codex_testkit import Project

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OTHER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
LIMIT = 30


@pytest.fixture
def model() -> Iterator[ResponsesServer]:
    with ResponsesServer() as server:
        yield server


def settings(model: ResponsesServer) -> list[str]:
    table = f'{{name="t",base_url="{model.url}",wire_api="responses"}}'
    return ["-c", f"model_providers.t={table}", "-c", "model_provider=t", "-c", "model=m"]


class Server:
    """``codex app-server`` on its standard streams."""

    def __init__(self, project: Project, model: ResponsesServer, **environ: str) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("CODEX", "OPENAI", "TRACE"))}
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "codex_host", *settings(model), "app-server"],
            env={**kept, "CODEX_HOME": str(project.home), **environ},
            cwd=project.root,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._number = 0

    def send(self, method: str, params: Any, **members: Any) -> int:
        assert self._process.stdin is not None
        self._number += 1
        self._process.stdin.write(
            json.dumps({"id": self._number, "method": method, "params": params, **members}) + "\n"
        )
        self._process.stdin.flush()
        return self._number

    def ask(self, method: str, params: Any, **members: Any) -> Any:
        number = self.send(method, params, **members)
        return self.until(lambda message: message.get("id") == number)["result"]

    def until(self, wanted: Any) -> dict[str, Any]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            message: dict[str, Any] = json.loads(line)
            if wanted(message):
                return message
        raise AssertionError("the server ended")

    def turn(self, thread: str, **members: Any) -> None:
        content = [{"type": "text", "text": "go"}]
        self.ask("turn/start", {"threadId": thread, "input": content}, **members)
        self.until(lambda message: message.get("method") == "turn/completed")

    def end(self) -> str:
        """Close the server's input and return its log."""
        _, log = self._process.communicate(timeout=LIMIT)
        assert self._process.returncode == 0, log
        return log


def seen(model: ResponsesServer) -> list[tuple[str | None, str | None]]:
    headers = [{name.lower(): value for name, value in turn.headers.items()} for turn in model.turns]
    return [(each.get("traceparent"), each.get("tracestate")) for each in headers]


def test_a_turn_has_the_trace_of_its_request(project: Project, model: ResponsesServer) -> None:
    server = Server(project, model, CODEX_LOG="app-server=debug", CODEX_LOG_FORMAT="json")
    server.ask("initialize", {"clientInfo": {"name": "probe", "version": "1"}})
    thread = server.ask("thread/start", {})["thread"]["id"]
    server.turn(thread, trace={"traceparent": PARENT, "tracestate": "tower=1"})
    server.turn(thread, trace={"traceparent": OTHER})
    server.turn(thread, trace={"traceparent": "00-nonsense"})
    server.turn(thread, trace="nonsense")
    log = server.end()

    assert seen(model) == [(PARENT, "tower=1"), (OTHER, None), (None, None), (None, None)]
    assert [record["trace_id"] for record in map(json.loads, log.splitlines()) if "trace_id" in record] != []


def test_a_turn_of_exec_has_the_trace_of_the_environment(project: Project, model: ResponsesServer) -> None:
    environ = {"TRACEPARENT": PARENT, "TRACESTATE": "a=b"}
    done = project.run(*settings(model), "exec", "--skip-git-repo-check", "go", environ=environ)

    done.assert_success()
    assert seen(model) == [(PARENT, "a=b")]
