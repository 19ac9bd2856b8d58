"""Clients of an app-server that was killed in the middle of their turns resume their threads and miss nothing."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import Any, Self

import pytest

from codex_testkit.servers.responses import ResponsesServer

CODEX = str(Path(sys.executable).with_name("codex"))
LIMIT = 60
THREADS = 20


class Server:
    """An app-server in a process of its own."""

    def __init__(self, home: Path) -> None:
        environ = {"HOME": str(home), "CODEX_HOME": str(home / ".codex"), "PATH": "/usr/bin:/bin"}
        self.process = subprocess.Popen(
            [CODEX, "app-server"],
            cwd=home,
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self.seen: list[dict[str, Any]] = []
        self._lines: queue.Queue[bytes] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._number = 0

    def __enter__(self) -> Self:
        self.request("initialize", clientInfo={"name": "probe", "version": "1"}, capabilities={"experimentalApi": True})
        self.send({"method": "initialized"})
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait(LIMIT)
        self._reader.join(LIMIT)
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()

    def kill(self) -> None:
        """Kill it, then read what it had already sent."""
        self.process.kill()
        self.process.wait(LIMIT)
        self._reader.join(LIMIT)
        while line := self._lines.get(timeout=LIMIT):
            if line.endswith(b"\n"):
                self.seen.append(json.loads(line))

    def send(self, message: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()

    def request(self, method: str, **params: Any) -> dict[str, Any]:
        answer = self.ask(method, **params)
        assert "error" not in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        self.send({"method": method, "id": self._number, "params": params})
        while (message := self.next()).get("id") != self._number or "method" in message:
            pass
        return message

    def next(self) -> dict[str, Any]:
        line = self._lines.get(timeout=LIMIT)
        assert line, "the server ended"
        message: dict[str, Any] = json.loads(line)
        self.seen.append(message)
        return message

    def items(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Return the items that were announced as completed, by thread and turn, then by id."""
        found: dict[tuple[str, str], dict[str, Any]] = defaultdict(dict)
        for message in self.seen:
            if message.get("method") == "item/completed":
                params = message["params"]
                found[params["threadId"], params["turnId"]][params["item"]["id"]] = params["item"]
        return found

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(b"")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / ".codex").mkdir()
    return tmp_path


def configure(home: Path, url: str) -> None:
    provider = {"name": "mock", "base_url": url, "wire_api": "responses"}
    table = "\n".join(f"{key} = {json.dumps(value)}" for key, value in provider.items())
    (home / ".codex/config.toml").write_text(f'model = "m"\nmodel_provider = "mock"\n[model_providers.mock]\n{table}\n')


def script(*rounds: Any) -> list[dict[str, Any]]:
    return [{"type": "text", "text": f"MOCK:{json.dumps(rounds)}"}]


def test_every_thread_comes_back_with_all_items_that_were_announced(home: Path) -> None:
    steps = [{"reason": "hm"}, {"say": "a", "phase": "commentary"}, {"delay": 0.01}, {"sh": "echo hi"}]
    rounds = [steps for _ in range(200)]
    policy = {"type": "workspaceWrite", "writableRoots": ["/opt"], "networkAccess": True, "excludeSlashTmp": True}
    with ResponsesServer() as model:
        configure(home, model.url)
        with Server(home) as server:
            started: dict[str, str] = {}
            for number in range(THREADS):
                opened = server.request(
                    "thread/start", sandbox="danger-full-access", approvalPolicy="never", cwd=str(home)
                )
                thread = opened["thread"]["id"]
                first = server.request("turn/start", threadId=thread, input=script([{"say": f"first {number}"}]))
                while server.next().get("method") != "turn/completed":
                    pass
                answer = server.request("turn/start", threadId=thread, input=script(*rounds))
                assert first["turn"]["id"] != answer["turn"]["id"]
                started[thread] = answer["turn"]["id"]
            busy = set(started)
            end = time.monotonic() + LIMIT
            while busy and time.monotonic() < end:
                message = server.next()
                if (
                    message.get("method") == "item/completed"
                    and message["params"]["item"]["type"] == "commandExecution"
                ):
                    busy.discard(message["params"]["threadId"])
            assert not busy
            server.kill()
        announced = server.items()
        assert {turn for _, turn in announced} >= set(started.values())

        with Server(home) as again:
            for thread, running in started.items():
                resumed = again.request("thread/resume", threadId=thread)
                turns = resumed["thread"]["turns"]
                read = again.request("thread/read", threadId=thread, includeTurns=True)["thread"]["turns"]
                assert read == turns
                assert [(turn["status"]) for turn in turns] == ["completed", "interrupted"]
                assert turns[1]["id"] == running
                for turn in turns:
                    found = {item["id"]: item for item in turn["items"]}
                    for ident, item in announced[thread, turn["id"]].items():
                        assert found[ident] == item
                assert resumed["sandbox"] == {"type": "dangerFullAccess"}
                assert resumed["approvalPolicy"] == "never"
            thread = next(iter(started))
            again.request(
                "turn/start", threadId=thread, input=script([{"say": "on"}]), sandboxPolicy=policy,
                approvalPolicy="untrusted", cwd="/", model="other", effort="high",
            )  # fmt: skip
            while again.next().get("method") != "turn/completed":
                pass
            again.kill()

        with Server(home) as third:
            resumed = third.request("thread/resume", threadId=thread)
            assert {key: resumed["sandbox"][key] for key in policy} == policy
            kept = {key: resumed[key] for key in ("approvalPolicy", "cwd", "model", "reasoningEffort")}
            assert kept == {"approvalPolicy": "untrusted", "cwd": "/", "model": "other", "reasoningEffort": "high"}
            with Server(home) as other:
                refused = other.ask("thread/resume", threadId=thread)["error"]["message"]
                assert f"thread {thread} is in use: process {third.process.pid} is writing" in refused
                refused = other.ask("thread/archive", threadId=thread)["error"]["message"]
                assert f"thread {thread} is in use" in refused
                assert other.request("thread/name/set", threadId=thread, name=" Mine ") == {}
            [named] = third.request("thread/list", searchTerm="mine")["data"]
            assert (named["id"], named["name"]) == (thread, "Mine")
