"""Clients that leave in the middle of a question, with both real releases and ours."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from websockets.sync.client import connect

from interop.clients import OURS, REAL_118, REAL_169, TURN_LIMIT, Codex, Stage
from interop.conftest import need

if TYPE_CHECKING:
    from collections.abc import Iterator

    from websockets.sync.client import ClientConnection

    from codex_testkit.servers.responses import ResponsesServer

Message = dict[str, Any]
ASKED = "item/commandExecution/requestApproval"


class Client:
    """A client of a listening server."""

    def __init__(self, port: int) -> None:
        self.messages: list[Message] = []
        self._stack = ExitStack()
        self._line = self._connect(port)
        self._number = 0
        self.ask("initialize", clientInfo={"name": "c", "version": "1"}, capabilities={"experimentalApi": True})
        self.send({"method": "initialized"})

    def send(self, message: Message) -> None:
        self._line.send(json.dumps(message))

    def ask(self, method: str, **params: Any) -> Any:
        self._number += 1
        number = self._number
        self.send({"id": number, "method": method, "params": params})
        while (message := self.next()).get("id") != number or "method" in message:
            pass
        return message.get("result", message.get("error"))

    def next(self) -> Message:
        message: Message = json.loads(self._line.recv(TURN_LIMIT))
        self.messages.append(message)
        return message

    def until(self, method: str) -> Message:
        while (message := self.next()).get("method") != method:
            pass
        return message

    def leave(self) -> None:
        self._stack.close()

    def _connect(self, port: int) -> ClientConnection:
        end = time.monotonic() + 30
        while True:
            try:
                return self._stack.enter_context(connect(f"ws://127.0.0.1:{port}", max_size=None))
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)


@pytest.fixture(params=[REAL_118, REAL_169, OURS], ids=lambda codex: codex.name)
def port(request: pytest.FixtureRequest, stage: Stage) -> Iterator[int]:
    """A listening server of each program."""
    codex: Codex = request.param
    need(codex.path, f"codex {codex.name}")
    stage.set_up(codex, provider="request_max_retries = 0\nstream_max_retries = 0\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = free.getsockname()[1]
    process = subprocess.Popen(
        [str(codex.path), "app-server", "--listen", f"ws://127.0.0.1:{number}"],
        cwd=stage.ws,
        env=stage.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    yield number
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)


def test_a_question_is_put_again_with_its_id_to_clients_that_resume_the_thread(
    port: int, stage: Stage, server: ResponsesServer
) -> None:
    escalated = {"cmd": "touch made", "login": False, "sandbox_permissions": "require_escalated", "justification": "j"}
    server.play([[{"sh": escalated, "call_id": "c"}], [{"say": "end"}]])
    waiting = {"type": "active", "activeFlags": ["waitingOnApproval"]}
    first = Client(port)
    started = first.ask("thread/start", cwd=str(stage.ws), sandbox="workspace-write", approvalPolicy="on-request")
    thread = started["thread"]["id"]
    first.ask("turn/start", threadId=thread, input=[{"type": "text", "text": "go"}])
    question = first.until(ASKED)
    first.leave()

    second = Client(port)
    read = second.ask("thread/read", threadId=thread)
    resumed = second.ask("thread/resume", threadId=thread)
    third = Client(port)
    third.ask("thread/resume", threadId=thread)
    again = [client.until(ASKED) for client in (second, third)]
    third.send({"id": again[1]["id"], "result": {"decision": "accept"}})
    ends = [(client.until("serverRequest/resolved"), client.until("turn/completed")) for client in (second, third)]
    second.send({"id": question["id"], "result": {"decision": "cancel"}})  # too late
    loaded = second.ask("thread/loaded/list")
    second.leave()
    third.leave()

    assert read["thread"]["status"] == waiting
    assert resumed["thread"]["status"] == waiting
    assert [(each["id"], each["params"]) for each in again] == [(question["id"], question["params"])] * 2
    for resolved, completed in ends:
        assert resolved["params"] == {"threadId": thread, "requestId": question["id"]}
        assert completed["params"]["turn"]["status"] == "completed"
    assert loaded["data"] == [thread]
    assert (stage.ws / "made").exists()
