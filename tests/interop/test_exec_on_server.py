"""Our ``codex exec`` on an app-server of each release."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from interop.clients import OURS, REAL_118, REAL_169, Codex, Stage
from interop.conftest import need

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codex_testkit.servers.responses import ResponsesServer

LIMIT = 30


@pytest.fixture(params=[REAL_118, REAL_169, OURS], ids=lambda codex: codex.name)
def url(request: pytest.FixtureRequest, stage: Stage) -> Iterator[str]:
    """The address of a server with the model of the stage."""
    codex: Codex = request.param
    need(codex.path, f"codex {codex.name}")
    stage.set_up(codex)
    running = subprocess.Popen(
        [str(codex.path), "app-server", "--listen", "ws://127.0.0.1:0"],
        cwd=stage.ws,
        env=stage.environment(RUST_LOG="error"),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        bufsize=0,
    )
    try:
        assert running.stderr is not None
        yield next(
            found[1].decode() for line in running.stderr if (found := re.search(rb"listening on: (ws://\S+)", line))
        )
    finally:
        running.terminate()
        running.communicate(timeout=LIMIT)


def test_a_turn_with_a_command_runs_and_its_thread_is_resumed(url: str, stage: Stage, server: ResponsesServer) -> None:
    server.play([[{"sh": "echo hello > made.txt"}], [{"say": "made it"}], [{"say": "again"}]])
    remote = ("--remote", url, "-C", str(stage.ws), "exec", "-s", "danger-full-access")

    first = stage.run(OURS, *remote, "--json", "go")
    second = stage.run(OURS, *remote, "--json", "resume", "--last", "more")

    assert (first.status, second.status) == (0, 0), first.stderr + second.stderr
    assert (stage.ws / "made.txt").read_text() == "hello\n"
    kinds = [(event["type"], event.get("item", {}).get("type")) for event in first.events]
    assert ("item.completed", "command_execution") in kinds
    assert first.events[-1]["type"] == "turn.completed"
    assert first.events[-2]["item"]["text"] == "made it"
    assert second.events[0] == first.events[0]
    assert second.events[-2]["item"]["text"] == "again"
