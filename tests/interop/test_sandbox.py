"""Commands of ``codex exec`` and of ``codex sandbox`` under a policy, beside the real 0.118.0."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from interop.clients import OURS, REAL_118, Codex, Stage
from interop.conftest import need

if TYPE_CHECKING:
    from codex_testkit.servers.responses import ResponsesServer


@pytest.fixture(params=[REAL_118, OURS], ids=lambda codex: codex.name)
def boxed(request: pytest.FixtureRequest) -> Codex:
    chosen: Codex = request.param
    need(chosen.path, f"codex {chosen.name}")
    return chosen


def told(server: ResponsesServer) -> str:
    outputs: list[dict[str, Any]] = [
        item for item in server.turns[-1].body["input"] if item.get("type") == "function_call_output"
    ]
    return str(outputs[-1]["output"])


@pytest.mark.parametrize(
    ("mode", "script", "denied"),
    [
        ("read-only", "touch x", True),
        ("read-only", "cat .git/HEAD", False),
        ("read-only", "exit 3", False),
        ("workspace-write", "touch x", False),
        ("workspace-write", "touch .git/x", True),
        ("workspace-write", "touch ../x", True),
        ("workspace-write", "exec 3<>/dev/tcp/127.0.0.1/9", True),
    ],
)
def test_a_command_that_its_sandbox_kept_from_working_is_told_as_such(
    mode: str, script: str, denied: bool, boxed: Codex, stage: Stage, server: ResponsesServer
) -> None:
    stage.set_up(boxed)
    server.play([[{"sh": script}], [{"say": "x"}]])

    done = stage.run(boxed, "exec", "--json", "-s", mode, *boxed.flags, "go")

    assert done.status == 0
    beginning = "exec_command failed for `/bin/bash -lc "
    assert told(server).startswith(beginning) is denied
    assert ("Denied {" in told(server)) is denied


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("--full-auto", "--", "sh", "-c", "touch x && exit 5"), 5),
        (("--", "sh", "-c", "touch x || exit 6"), 6),
        (("--full-auto", "sh", "-c", "touch .git/x || exit 7"), 7),
        (("--", "sh", "-c", "kill -TERM $$"), 143),
    ],
)
def test_the_sandbox_command_hands_on_how_the_command_ended(
    arguments: tuple[str, ...], status: int, boxed: Codex, stage: Stage
) -> None:
    stage.set_up(boxed)

    assert stage.run(boxed, "sandbox", "linux", *arguments).status == status


def test_a_missing_program_is_one_line(stage: Stage) -> None:
    stage.set_up(OURS)

    done = stage.run(OURS, "sandbox", "linux", "--", "no-such-program")

    assert (done.status, done.stderr) == (127, "codex: command not found: no-such-program\n")


def test_the_sandbox_command_respects_the_configuration(stage: Stage) -> None:
    stage.set_up(OURS, 'sandbox_mode = "workspace-write"')

    free = stage.run(OURS, "sandbox", "linux", "--", "touch", "x")
    held = stage.run(OURS, "sandbox", "linux", "-c", "sandbox_mode=read-only", "--", "touch", "y")

    assert (free.status, held.status) == (0, 1)
    assert not (stage.ws / "y").exists()
