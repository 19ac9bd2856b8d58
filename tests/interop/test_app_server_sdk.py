"""The Python SDK that speaks to the app-server, on ours and on the real one that it was made for."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from interop.clients import PEERS, ROOT, Codex, Stage
from interop.conftest import need

if TYPE_CHECKING:
    from collections.abc import Callable

    from codex_testkit.servers.responses import ResponsesServer

PYTHON = PEERS / "sdk-app-server" / "bin" / "python"
DRIVER = ROOT / "tests" / "interop" / "drivers" / "app_server_sdk.py"
Drive = "Callable[..., Any]"


@pytest.fixture
def drive(codex: Codex, stage: Stage) -> Callable[..., Any]:
    """Do one thing with the SDK and return what it gave."""
    need(PYTHON, "the Python SDK of the app-server")
    stage.set_up(codex)

    def run(what: str, **more: Any) -> Any:
        job = {"codex": str(codex.path), "env": stage.environment(), "cwd": str(stage.ws), "do": what, **more}
        done = subprocess.run(
            [str(PYTHON), str(DRIVER)], input=json.dumps(job).encode(), capture_output=True, timeout=90, check=False
        )
        assert done.returncode == 0, done.stderr.decode()[-3000:]
        return json.loads(done.stdout)

    return run


def kinds(turn: dict[str, Any]) -> list[str]:
    return [item["type"] for item in turn["items"]]


def test_turns_give_their_answer_items_and_usage(drive: Any, server: ResponsesServer) -> None:
    server.play([[{"reason": "Let me see."}, {"sh": "echo hi"}], [{"say": "all done"}], [{"say": "again"}]])

    found = drive("turns", texts=["one", "two"])

    first, second = found["turns"]
    assert (first["status"], first["final"], second["final"]) == ("completed", "all done", "again")
    assert kinds(first) == ["userMessage", "reasoning", "commandExecution", "agentMessage"]
    assert first["usage"]["total"]["totalTokens"] > 0
    assert first["id"] != second["id"]


def test_every_notification_of_a_turn_fits_the_models_of_the_sdk(drive: Any, server: ResponsesServer) -> None:
    patch = "*** Begin Patch\n*** Add File: n.txt\n+a\n*** End Patch"
    server.play(
        [[{"reason": "Hm."}, {"plan": [["a", "in_progress"]]}, {"sh": "echo hi"}], [{"patch": patch}], [{"say": "ok"}]]
    )

    found = drive("streaming")

    assert found["unknown"] == []
    assert found["methods"][-1] == "turn/completed"
    assert {"item/started", "item/completed", "item/agentMessage/delta"} <= set(found["methods"])


# The newer real one has approvals reviewed by a model instead of asking the SDK.
@pytest.mark.parametrize("codex", ["ours"], indirect=True)
def test_an_approval_is_given_by_the_sdk(drive: Any, server: ResponsesServer) -> None:
    escalated = {"cmd": "echo approved", "sandbox_permissions": "require_escalated", "justification": "why not"}
    server.play([[{"call": "exec_command", "args": escalated}], [{"say": "ok"}]])

    turn = drive("approvals")["turn"]

    command = next(item for item in turn["items"] if item["type"] == "commandExecution")
    assert (turn["final"], command["status"], command["exitCode"]) == ("ok", "completed", 0)


def test_a_turn_is_steered_and_interrupted(drive: Any, server: ResponsesServer) -> None:
    server.play([[{"sh": {"cmd": "sleep 30", "yield_time_ms": 25000}}], [{"say": "never"}]])

    assert drive("interrupted")["status"] == "interrupted"


def test_a_failed_turn_has_the_models_message(drive: Any, server: ResponsesServer) -> None:
    server.play([[{"fail": {"code": "invalid_prompt", "message": "no such spell"}}]])

    assert "no such spell" in drive("failing")["error"]


def test_threads_are_named_read_forked_archived_listed_and_resumed(drive: Any, server: ResponsesServer) -> None:
    server.play([[{"say": "one"}], [{"say": "two"}], [{"say": "three"}]])

    found = drive("threads")

    assert found["read"]["name"] == "the tower"
    assert kinds(found["read"]["turns"][0]) == ["userMessage", "agentMessage"]
    assert found["forked"]["final"] == "two"
    assert found["again"]["final"] == "three"
    assert found["archived"] == [found["thread"]]
    assert set(found["listed"]) == {found["thread"], found["fork"]}


def test_models_account_and_server_are_told(drive: Any) -> None:
    found = drive("program")

    assert found["metadata"]["userAgent"]
    assert [model["isDefault"] for model in found["models"]].count(True) == 1
    assert "account" in found["account"]


def test_turns_run_side_by_side(drive: Any, server: ResponsesServer) -> None:
    server.play(None)

    turns = drive("asynchronous")["turns"]

    assert [turn["status"] for turn in turns] == ["completed"] * 4
