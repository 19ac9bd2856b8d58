"""A client that vanishes in the middle of anything leaves nothing behind but its threads."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from websocket_clients import LIMIT, WebsocketServer, command_line, processes, sleep
from websockets.frames import Frame, Opcode

from codex_testkit.servers.responses import ResponsesServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from websocket_clients import RawClient

    Scene = Callable[[RawClient, WebsocketServer], Awaitable[str | None]]

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("this_machine")]
TIMES = 5
SPARE = 2
"""Open files that may come and go, such as the connection to the model."""
GUARD = b"trap '' HUP"
"""In the command lines of the two processes that end commands when the server is killed."""
LOOK_UP = {"name": "look_up", "description": "Look up", "inputSchema": {"type": "object", "properties": {}}}
QUESTION = {"id": "q1", "header": "Head", "question": "Which?", "options": [{"label": "A", "description": "a"}]}
PLAN = {"mode": "plan", "settings": {"model": "m", "reasoning_effort": None, "developer_instructions": None}}
ANSWERS = {
    "item/commandExecution/requestApproval": {"decision": "accept"},
    "item/tool/requestUserInput": {"answers": {"q1": {"answers": ["A"]}}},
    "item/tool/call": {"contentItems": [{"type": "inputText", "text": "found"}], "success": True},
}


def script(*rounds: Any) -> str:
    return f"MOCK:{json.dumps(rounds)}"


async def asked(client: RawClient, thread: str, rounds: str, method: str, **params: Any) -> str:
    """Begin a turn that asks the client something."""
    client.messages.clear()
    await client.turn(thread, rounds, **params)
    await client.until(lambda message: message.get("method") == method)
    return thread


async def in_an_approval(client: RawClient, server: WebsocketServer) -> str:
    thread = await client.thread(approvalPolicy="untrusted")
    rounds = script([{"sh": "touch made"}], [{"say": "end"}])
    return await asked(client, thread, rounds, "item/commandExecution/requestApproval")


async def in_a_question(client: RawClient, server: WebsocketServer) -> str:
    rounds = script([{"call": "request_user_input", "args": {"questions": [QUESTION]}}], [{"say": "end"}])
    thread = await client.thread()
    return await asked(client, thread, rounds, "item/tool/requestUserInput", collaborationMode=PLAN)


async def in_a_call(client: RawClient, server: WebsocketServer) -> str:
    rounds = script([{"call": "look_up", "args": {}}], [{"say": "end"}])
    thread = await client.thread(dynamicTools=[LOOK_UP])
    return await asked(client, thread, rounds, "item/tool/call")


async def in_a_command(client: RawClient, server: WebsocketServer) -> str:
    thread = await client.thread()
    command = "yes | head -c 200000; sleep 0.3; echo over"
    return await asked(client, thread, script([{"sh": command}], [{"say": "end"}]), "item/commandExecution/outputDelta")


async def in_a_frame(client: RawClient, server: WebsocketServer) -> None:
    request = {"id": 99, "method": "thread/start", "params": {"cwd": "x" * 100_000}}
    data = Frame(Opcode.TEXT, json.dumps(request).encode()).serialize(mask=True)
    client.transport.write(data[: len(data) // 2])


async def in_a_request(client: RawClient, server: WebsocketServer) -> None:
    for _ in range(50):
        client.begin("thread/start", {})
        client.begin("thread/list", {})


async def in_a_started_command(client: RawClient, server: WebsocketServer) -> None:
    for name in ("pipe", "tty"):
        command = ["/bin/sh", "-c", f"{sleep(server)} & while :; do echo more; sleep 0.02; done"]
        options = {"streamStdin": True, "streamStdoutStderr": True, "tty": name == "tty", "disableTimeout": True}
        client.begin("command/exec", {"command": command, "processId": name, **options})
        await client.until(
            lambda message, name=name: (
                message.get("method") == "command/exec/outputDelta" and message["params"]["processId"] == name
            )
        )


async def in_a_watch(client: RawClient, server: WebsocketServer) -> None:
    for number in range(20):
        (server.ws / f"d{number}").mkdir(exist_ok=True)
        await client.ask("fs/watch", path=str(server.ws / f"d{number}"))
    (server.ws / "d0/new").write_text("")


async def in_a_search(client: RawClient, server: WebsocketServer) -> None:
    (server.ws / "file.txt").write_text("")
    await client.ask("fuzzyFileSearch/sessionStart", sessionId="s", roots=[str(server.ws)])
    await client.ask("fuzzyFileSearch/sessionUpdate", sessionId="s", query="fil")
    client.begin("fuzzyFileSearch", {"query": "file", "roots": ["/usr"]})


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[WebsocketServer]:
    with ResponsesServer() as model:
        async with WebsocketServer(tmp_path, model.url) as running:
            yield running
            assert "Traceback" not in running.log()
            assert "never retrieved" not in running.log()


async def held(server: WebsocketServer, other: RawClient) -> tuple[int, list[str]]:
    """Return how many commands the server runs, and its loaded threads."""
    commands = [child for child in server.children() if GUARD not in command_line(child)]
    commands += processes(sleep(server))
    loaded = (await other.ask("thread/loaded/list"))["data"]
    return len(commands), loaded


@pytest.mark.parametrize(
    "scene",
    [
        in_an_approval, in_a_question, in_a_call, in_a_command, in_a_frame, in_a_request, in_a_started_command,
        in_a_watch, in_a_search,
    ],
)  # fmt: skip
async def test_a_client_that_vanishes_leaves_nothing_behind(server: WebsocketServer, scene: Scene) -> None:
    other = await server.connect()
    before = 0
    for number in range(TIMES):
        client = await server.connect()
        thread = await scene(client, server)
        client.vanish()
        if thread is not None:
            back = await server.connect()
            resumed = await back.ask("thread/resume", threadId=thread)
            if scene is not in_a_command:
                question = await back.until(lambda message: "id" in message and "method" in message)
                back.send({"id": question["id"], "result": ANSWERS[question["method"]]})
            assert resumed["thread"]["status"]["type"] == "active"
            ended = await back.completed(thread)
            assert ended["params"]["turn"]["status"] == "completed"
            turns = (await other.ask("thread/read", threadId=thread, includeTurns=True))["thread"]["turns"]
            assert turns[-1]["items"][-1]["text"] == "end"
            await back.close()
        async with asyncio.timeout(LIMIT):
            while await held(server, other) != (0, []) or (number and server.open_files() > before):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        if not number:  # The first time, modules are loaded and files opened that stay.
            before = server.open_files() + SPARE
        other.messages.clear()
