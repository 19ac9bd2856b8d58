"""Threads of one program are continued by the other: forked, rolled back, reverted, with what they were."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from interop.app_server import AppServer
from interop.clients import OURS, REAL_118, REAL_169, Codex
from interop.conftest import need

if TYPE_CHECKING:
    from codex_testkit.servers.responses import ResponsesServer
    from interop.clients import Stage

REAL = pytest.mark.parametrize("real", [REAL_118, REAL_169], ids=lambda codex: codex.name)


def prompts(thread: dict[str, Any]) -> list[str]:
    """Give the text of each turn's prompt."""
    return [
        next(item["content"][0]["text"] for item in turn["items"] if item["type"] == "userMessage")
        for turn in thread["turns"]
    ]


def told(server: ResponsesServer) -> list[str]:
    """Give the prompts and answers of the last model request."""
    texts = [
        part["text"]
        for item in server.turns[-1].body["input"]
        if item.get("role") in ("user", "assistant")
        for part in item["content"]
    ]
    return [text for text in texts if not text.startswith(("<", "# AGENTS"))]


@REAL
def test_threads_of_the_real_program_go_on_here(real: Codex, stage: Stage, server: ResponsesServer) -> None:
    need(real.path, f"codex {real.name}")
    stage.set_up(real)
    with AppServer(real, stage) as theirs:
        origin = theirs.start()
        for text in ("one", "two", "three"):
            theirs.turn(origin, text)
        fork = theirs.request("thread/fork", threadId=origin)["thread"]["id"]
        theirs.turn(fork, "four")
        turns = theirs.request("thread/read", threadId=origin, includeTurns=True)["thread"]["turns"]
        if real is REAL_118:
            theirs.request("thread/rollback", threadId=origin, numTurns=2)
        else:
            theirs.request("thread/revert", threadId=origin, beforeTurnId=turns[1]["id"])
            theirs.turn(origin, "five")
            theirs.request("thread/revert", threadId=origin, beforeTurnId=turns[0]["id"])
            theirs.turn(origin, "six")
        second = theirs.request("thread/fork", threadId=origin)["thread"]["id"]
    left = ["one"] if real is REAL_118 else ["six"]

    with AppServer(OURS, stage) as ours:
        for thread, wanted in ((origin, left), (fork, ["one", "two", "three", "four"]), (second, left)):
            assert prompts(ours.request("thread/read", threadId=thread, includeTurns=True)["thread"]) == wanted
            resumed = ours.request("thread/resume", threadId=thread)
            assert prompts(resumed["thread"]) == wanted
            if thread == origin or real is REAL_169:  # A fork of 0.118 has the policy of its configuration.
                assert (resumed["approvalPolicy"], resumed["sandbox"]["type"]) == ("never", "dangerFullAccess")
            ours.turn(thread, "here")
            assert told(server) == [text for one in wanted for text in (one, f"mock: {one}")] + ["here"]
        listed = ours.request("thread/list")["data"]
        assert {thread["id"] for thread in listed} == {origin, fork, second}
        ours.request("thread/archive", threadId=origin)
        read = ours.request("thread/read", threadId=origin, includeTurns=True)["thread"]
        assert prompts(read) == [*left, "here"]
        assert "archived_sessions" in read["path"]
        ours.request("thread/unarchive", threadId=origin)
        third = ours.request("thread/fork", threadId=origin)["thread"]
        assert prompts(third) == [*left, "here"]

    with AppServer(real, stage) as theirs:
        for thread in (origin, third["id"]):
            assert prompts(theirs.request("thread/resume", threadId=thread)["thread"]) == [*left, "here"]
            theirs.turn(thread, "there")
            assert told(server)[-3:] == ["here", "mock: here", "there"]


@REAL
def test_threads_from_here_go_on_in_the_real_program(real: Codex, stage: Stage, server: ResponsesServer) -> None:
    need(real.path, f"codex {real.name}")
    stage.set_up(real)
    with AppServer(OURS, stage) as ours:
        origin = ours.start()
        for text in ("one", "two", "three"):
            ours.turn(origin, text)
        ours.request("thread/name/set", threadId=origin, name=" Named ")
        fork = ours.request("thread/fork", threadId=origin)["thread"]["id"]
        ours.turn(fork, "four")
        unused = ours.request("thread/fork", threadId=fork, sandbox="read-only", approvalPolicy="on-request")["thread"]
        ours.request("thread/rollback", threadId=origin, numTurns=2)
        ours.turn(origin, "five")
        turn = ours.request("thread/read", threadId=origin, includeTurns=True)["thread"]["turns"][-1]
        ours.turn(origin, "six")
        ours.request("thread/revert", threadId=origin, beforeTurnId=turn["id"])
        ours.request("thread/metadata/update", threadId=origin, gitInfo={"branch": "topic"})

    with AppServer(real, stage) as theirs:
        for thread, wanted in (
            (origin, ["one"]),
            (fork, ["one", "two", "three", "four"]),
            (unused["id"], ["one", "two", "three", "four"]),
        ):
            resumed = theirs.request("thread/resume", threadId=thread, approvalPolicy="never", sandbox="read-only")
            assert prompts(resumed["thread"]) == wanted
            theirs.turn(thread, "there")
            assert told(server) == [text for one in wanted for text in (one, f"mock: {one}")] + ["there"]
        shown = theirs.request("thread/read", threadId=origin)["thread"]
        assert shown["name"] == "Named"
        listed = {thread["id"]: thread for thread in theirs.request("thread/list")["data"]}
        assert set(listed) == {origin, fork, unused["id"]}
        assert listed[origin]["gitInfo"]["branch"] == "topic"
