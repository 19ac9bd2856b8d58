"""Whole turns on another machine: real clients on our server, ours on the real one, counted on the wire."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from interop.clients import OURS, PEERS, REAL_118, REAL_169, Codex, Stage
from interop.conftest import need
from interop.exec_server import Server, output
from interop.tap import Tap

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from codex_testkit.servers.responses import ResponsesServer
    from interop.clients import Outcome

TURN = [
    [{"sh": "echo one; echo two >&2; exit 3"}],
    [{"sh": {"cmd": "read x; echo got $x", "tty": True, "yield_time_ms": 400}}],
    [{"stdin": {"session_id": "$SESSION", "chars": "abc\n", "yield_time_ms": 10000}}],
    [{"sh": "seq 1 20000 | md5sum"}],
    [{"say": "all done"}],
]
PAIRS = [
    pytest.param(REAL_118, OURS, id="0.118.0 on ours"),
    pytest.param(REAL_169, OURS, id="0.169.0 on ours"),
    pytest.param(OURS, REAL_169, id="ours on 0.169.0"),
    pytest.param(OURS, OURS, id="ours on ours"),
]


@pytest.fixture
def run(folder: Path, server: ResponsesServer) -> Iterator[Any]:
    """Run a conversation of a client with its tools behind a server: gives what it left, and what went by."""
    started: list[Server] = []

    def play(client: Codex, behind: Codex, script: list[Any], cut: Any = None) -> tuple[Outcome, Tap]:
        for codex in (client, behind):
            need(codex.path, f"codex {codex.name}")
        executor = Server(behind, folder / "executor")
        started.append(executor)
        stage = Stage(folder / "client", server.url)
        stage.set_up(client)
        server.play(script)
        with Tap(executor.url, *([cut] if cut else [])) as tap:
            outcome = stage.exec(client, "go", CODEX_EXEC_SERVER_URL=f"  {tap.url} ")
        return outcome, tap

    yield play
    for executor in started:
        executor.close()


def completed(outcome: Outcome, kind: str) -> list[dict[str, Any]]:
    """Give the finished items of a kind."""
    items = [event["item"] for event in outcome.events if event["type"] == "item.completed"]
    return [item for item in items if item["type"] == kind]


def written(tap: Tap, stream: str | None = None) -> bytes:
    """Give what processes of the server wrote, as the client was told."""
    return output([message for message in tap.from_server if message.get("method") == "process/output"], stream)


def spoken(outcome: Outcome) -> list[str]:
    return [item["text"] for item in completed(outcome, "agent_message")]


@pytest.mark.parametrize(("client", "behind"), PAIRS)
def test_a_turn_with_commands_runs_them_on_the_server(
    run: Any, server: ResponsesServer, client: Codex, behind: Codex
) -> None:
    outcome, tap = run(client, behind, TURN)

    assert outcome.status == 0, outcome.stderr
    assert spoken(outcome) == ["all done"]
    # What the machine and its login shell are like is asked with processes of its own.
    begun = [params for params in tap.asked("process/start") if params["processId"] != "facts"]
    starts = [params for params in begun if not params["processId"].startswith("profile-")]
    assert len(starts) == 3
    # The real server's own client says whose command it is, and so does ours.
    assert client is REAL_118 or all({"threadId", "toolCallId"} <= set(params["metadata"]) for params in starts)
    names = {params["processId"] for params in starts}
    assert {params["processId"] for params in tap.told("process/closed")} >= names
    assert [params["exitCode"] for params in tap.told("process/exited") if params["processId"] in names] == [3, 0, 0]
    assert b"got abc" in written(tap)
    told = [item["output"] for item in server.turns[-1].body["input"] if item["type"] == "function_call_output"]
    assert all(word in told[0] for word in ("Process exited with code 3\n", "one", "two"))
    assert "got abc" in told[2]
    assert all("Process exited with code 0\n" in text for text in told[2:])
    if client is REAL_118:  # It reports the end of a command in a task of its own, which the end of a turn overtakes.
        return
    commands = completed(outcome, "command_execution")
    assert [item["exit_code"] for item in commands] == [3, 0, 0]
    assert "one" in commands[0]["aggregated_output"]
    assert "two" in commands[0]["aggregated_output"]
    assert "got abc" in commands[1]["aggregated_output"]


@pytest.mark.parametrize(("client", "behind"), PAIRS[1:])
def test_a_patch_is_applied_on_the_server(run: Any, folder: Path, client: Codex, behind: Codex) -> None:
    patch = "*** Begin Patch\n*** Add File: n.txt\n+a\n*** End Patch"

    outcome, tap = run(client, behind, [[{"patch": patch}], [{"say": "x"}]])

    assert outcome.status == 0, outcome.stderr
    assert (folder / "client/ws/n.txt").read_text() == "a\n"
    written = [params["path"] for params in [*tap.asked("fs/writeFile"), *tap.asked("fs/open")]]
    assert any(path.endswith("/ws/n.txt") for path in written)


@pytest.mark.parametrize(("client", "behind"), PAIRS[1:])
def test_a_cut_wire_shows_no_gap(run: Any, client: Codex, behind: Codex) -> None:
    """Cut in the middle of the output of a command, which goes on meanwhile."""
    script = "for n in $(seq 1 40); do echo line $n; sleep 0.05; done"
    expected = "".join(f"line {n}\n" for n in range(1, 41))
    seen: list[str] = []

    def cut(number: int, message: dict[str, Any]) -> bool:
        if message.get("method") == "process/output":
            seen.append(message["params"]["processId"])
        return number == 1 and len(seen) == 10

    outcome, tap = run(client, behind, [[{"sh": {"cmd": script, "yield_time_ms": 20000}}], [{"say": "x"}]], cut)

    assert outcome.status == 0, outcome.stderr
    assert tap.connections == 2
    assert [item["aggregated_output"] for item in completed(outcome, "command_execution")] == [expected]


@pytest.mark.parametrize("client", [pytest.param(OURS, id="ours"), pytest.param(REAL_169, id="0.169.0")])
@pytest.mark.parametrize("value", ["none", "ws://127.0.0.1:9"])
def test_without_an_environment_the_model_is_told(
    folder: Path, server: ResponsesServer, client: Codex, value: str
) -> None:
    need(client.path, f"codex {client.name}")
    stage = Stage(folder, server.url)
    stage.set_up(client)
    server.play([[{"sh": "echo hi"}], [{"say": "x"}]])

    outcome = stage.exec(client, "go", CODEX_EXEC_SERVER_URL=value)

    assert outcome.status == 0, outcome.stderr
    assert spoken(outcome) == ["x"]
    told = str(server.turns[-1].body)
    assert "No usable execution environment is available" in told or "unsupported call" in told


def test_the_peers_are_where_they_are_looked_for() -> None:
    """A comparison that finds nobody to compare with must not pass in silence."""
    need(PEERS, "the peers")


@pytest.mark.parametrize(("mode", "made"), [("workspace-write", True), ("read-only", False)])
def test_the_sandbox_that_the_march_client_asks_for_is_held_by_our_server(
    mode: str, made: bool, folder: Path, server: ResponsesServer
) -> None:
    need(REAL_118.path, "codex 0.118.0")
    executor = Server(OURS, folder / "executor")
    stage = Stage(folder / "client", server.url)
    stage.set_up(REAL_118)
    script = "touch made; touch ../outside; mkdir .git/x .codex/x; echo over"
    server.play([[{"sh": {"cmd": script, "yield_time_ms": 30000}}], [{"say": "done"}]])
    try:
        with Tap(executor.url) as tap:
            arguments = ("exec", "--json", "-s", mode, *REAL_118.flags, "go")
            outcome = stage.run(REAL_118, *arguments, CODEX_EXEC_SERVER_URL=tap.url)
    finally:
        executor.close()

    assert outcome.status == 0, outcome.stderr
    assert any(params["argv"][0].endswith("/codex-linux-sandbox") for params in tap.asked("process/start"))
    assert written(tap, "stdout") == b"over\n"
    assert sorted(os.listdir(stage.ws)) == ([".git", "made"] if made else [".git"])
    assert not (stage.folder / "outside").exists()
    assert not (stage.ws / ".git" / "x").exists()
