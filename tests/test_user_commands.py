"""Commands that users run themselves in a thread, and commands that the agent left in the background."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from app_server_client import ServerProcess, shapes
from websocket_clients import WebsocketServer

from codex_testkit.servers.responses import ResponsesServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("this_machine")]
ITEM = "commandExecution"


@pytest.fixture
def model() -> Iterator[ResponsesServer]:
    with ResponsesServer() as server:
        yield server


def texts(model: ResponsesServer, number: int = -1) -> list[str]:
    """Return the texts of a request's user messages."""
    items = model.turns[number].body["input"]
    return [part["text"] for item in items if item.get("role") == "user" for part in item["content"]]


def command(messages: list[dict[str, Any]]) -> dict[str, Any]:
    [item] = [
        message["params"]["item"]
        for message in messages
        if message.get("method") == "item/completed" and message["params"]["item"]["type"] == ITEM
    ]
    return item


async def test_a_command_of_the_user_is_a_turn_of_its_own(tmp_path: Path, model: ResponsesServer) -> None:
    async with ServerProcess(tmp_path, model.url) as client:
        thread_id = await client.thread(sandbox="read-only")
        line = "echo hi; sleep .1; echo err >&2; touch made; exit 3"
        assert await client.ask("thread/shellCommand", {"threadId": thread_id, "command": line}) == {}
        await client.until("turn/completed")
        messages = client.messages[:]
        await client.turn(thread_id, "and now?")

    assert shapes(messages) == [
        "answer",
        "thread/status/changed active",
        "turn/started inProgress",
        "item/started commandExecution inProgress",
        "item/commandExecution/outputDelta",
        "item/completed commandExecution failed",
        "thread/status/changed idle",
        "turn/completed completed",
    ]
    item = command(messages)
    assert item["command"] == f"/bin/bash -lc '{line}'"
    assert (item["source"], item["processId"], item["exitCode"]) == ("userShell", None, 3)
    assert item["aggregatedOutput"] == "hi\nerr\n"
    assert (tmp_path / "ws/made").exists()  # no sandbox
    assert len(model.turns) == 1
    told = next(text for text in texts(model) if text.startswith("<user_shell_command>"))
    head, _, rest = told.partition("\nDuration: ")
    assert head == f"<user_shell_command>\n<command>\n{line}\n</command>\n<result>\nExit code: 3"
    assert rest.partition(" seconds\n")[2] == "Output:\nhi\nerr\n\n</result>\n</user_shell_command>"


async def test_a_command_joins_the_running_turn_which_asks_the_model_again(
    tmp_path: Path, model: ResponsesServer
) -> None:
    model.play([[{"delay": 1}, {"say": "one"}], [{"say": "two"}]])
    async with ServerProcess(tmp_path, model.url) as client:
        thread_id = await client.thread()
        await client.begin(thread_id)
        await client.until("item/completed")
        model.wait_for_turns(1)
        assert await client.ask("thread/shellCommand", {"threadId": thread_id, "command": "echo joined"}) == {}
        await client.until("turn/completed")
        begun = [kind for kind in shapes(client.messages) if kind.startswith("turn/")]

    assert begun == ["turn/started inProgress", "turn/completed completed"]
    assert len(model.turns) == 2
    assert "Output:\njoined\n" in texts(model)[-1]


async def test_a_message_during_a_command_of_the_user_is_answered_after_it(
    tmp_path: Path, model: ResponsesServer
) -> None:
    async with ServerProcess(tmp_path, model.url) as client:
        thread_id = await client.thread()
        await client.ask(
            "thread/shellCommand", {"threadId": thread_id, "command": "while [ ! -e go ]; do sleep .05; done"}
        )
        await client.until("item/started")
        await client.begin(thread_id, "are you there?")
        (tmp_path / "ws/go").touch()
        await client.until("turn/completed")

    assert [text for text in texts(model) if text.startswith(("<user_shell", "are"))][1:] == ["are you there?"]


async def test_an_interruption_kills_the_command(tmp_path: Path, model: ResponsesServer) -> None:
    async with ServerProcess(tmp_path, model.url) as client:
        thread_id = await client.thread()
        await client.ask("thread/shellCommand", {"threadId": thread_id, "command": "echo begin; sleep 100"})
        started = await client.until("turn/started")
        await client.until("item/commandExecution/outputDelta")
        target = {"threadId": thread_id, "turnId": started["params"]["turn"]["id"]}
        assert await client.ask("turn/interrupt", target) == {}
        await client.until("turn/completed")
        messages = client.messages[:]
        await client.turn(thread_id)

    assert shapes(messages)[-3:] == [
        "item/completed commandExecution failed",
        "thread/status/changed idle",
        "turn/completed interrupted",
    ]
    assert command(messages)["exitCode"] == -1
    assert "Output:\nbegin\ncommand aborted by user\n" in "".join(texts(model))


async def test_an_empty_command_and_an_unknown_thread_are_refused(tmp_path: Path, model: ResponsesServer) -> None:
    unknown = "00000000-0000-7000-8000-000000000000"
    async with ServerProcess(tmp_path, model.url) as client:
        thread_id = await client.thread()
        empty = await client.ask("thread/shellCommand", {"threadId": thread_id, "command": " \n"})
        absent = await client.ask("thread/shellCommand", {"threadId": unknown, "command": "ls"})
        clean = await client.ask("thread/backgroundTerminals/clean", {"threadId": thread_id})

    assert empty == {"code": -32600, "message": "command must not be empty"}
    assert absent == {"code": -32600, "message": f"thread not found: {unknown}"}
    assert clean == {}


async def test_commands_in_the_background_are_killed_on_request(tmp_path: Path, model: ResponsesServer) -> None:
    model.play([[{"sh": {"cmd": "echo $$ > pid; exec sleep 100", "yield_time_ms": 250}}], [{"say": "left it"}]])
    async with ServerProcess(tmp_path, model.url) as client:
        thread_id = await client.thread()
        await client.turn(thread_id)
        client.messages.clear()
        assert await client.ask("thread/backgroundTerminals/clean", {"threadId": thread_id}) == {}
        await client.until("item/completed")
        messages = client.messages[:]
        again = await client.ask("thread/backgroundTerminals/clean", {"threadId": thread_id})

    assert shapes(messages) == ["answer", "item/completed commandExecution failed"]
    assert command(messages)["exitCode"] == -1
    assert again == {}


STEPS = ("decrement", "increment", "increment", "decrement")
NONE = "out-of-band elicitation count is already zero"
WAITING = [
    [{"sh": {"cmd": "until test -e go; do sleep 0.05; done", "yield_time_ms": 250, "login": False}}],
    [{"say": "done"}],
]


async def test_a_question_of_a_client_stops_the_time_that_calls_wait_for_commands(
    tmp_path: Path, model: ResponsesServer
) -> None:
    model.play(WAITING)
    async with ServerProcess(tmp_path, model.url) as client:
        thread_id = await client.thread()
        counted = [await client.ask(f"thread/{step}_elicitation", {"threadId": thread_id}) for step in STEPS]
        await client.begin(thread_id)
        await client.until("item/started")
        await asyncio.sleep(1)
        (tmp_path / "ws/go").touch()
        await client.until("turn/completed")

    assert [each.get("count", each.get("message")) for each in counted] == [NONE, 1, 2, 1]
    assert [each["paused"] for each in counted[1:]] == [True, True, True]
    assert "Process exited with code 0" in model.turns[-1].body["input"][-1]["output"]


async def test_the_time_goes_on_after_the_last_question(tmp_path: Path, model: ResponsesServer) -> None:
    model.play(WAITING)
    async with ServerProcess(tmp_path, model.url) as client:
        thread_id = await client.thread()
        await client.ask("thread/increment_elicitation", {"threadId": thread_id})
        await client.begin(thread_id)
        await client.until("item/started")
        ended = await client.ask("thread/decrement_elicitation", {"threadId": thread_id})
        await client.until("turn/completed")
        (tmp_path / "ws/go").touch()

    assert ended == {"count": 0, "paused": False}
    assert "Process running with session ID" in model.turns[-1].body["input"][-1]["output"]


async def test_the_time_goes_on_when_the_client_that_asks_has_left(tmp_path: Path, model: ResponsesServer) -> None:
    model.play(WAITING)
    async with WebsocketServer(tmp_path, model.url) as server:
        client, other = await server.connect(), await server.connect()
        thread_id = await client.thread()
        await other.ask("thread/increment_elicitation", threadId=thread_id)
        turn_id = await client.turn(thread_id, "go")
        await client.until(lambda message: message.get("method") == "item/started")
        await other.close()
        await client.completed(thread_id, turn_id)
        (tmp_path / "ws/go").touch()

    assert "Process running with session ID" in model.turns[-1].body["input"][-1]["output"]
