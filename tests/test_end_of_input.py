"""What a client that closes its end of standard input still gets from ``codex app-server``."""

from __future__ import annotations

from pathlib import Path

import pytest
from app_server_client import ServerProcess

pytestmark = pytest.mark.anyio


async def test_commands_end_with_the_input_of_their_client_and_are_answered(tmp_path: Path) -> None:
    async with ServerProcess(tmp_path) as server:
        command = ["/bin/sh", "-c", "echo started; exec sleep 3600"]
        sent = await server.send(
            "command/exec",
            {"command": command, "processId": "p", "disableTimeout": True, "streamStdoutStderr": True},
        )
        await server.notification("command/exec/outputDelta")
        assert server.process.stdin is not None
        server.process.stdin.close()

        answer = await server.answer(sent)

    assert answer["result"]["exitCode"] != 0


async def test_a_command_that_ends_by_itself_soon_after_the_input_has_its_result(tmp_path: Path) -> None:
    async with ServerProcess(tmp_path) as server:
        sent = await server.send("command/exec", {"command": ["/bin/echo", "done"]})
        assert server.process.stdin is not None
        server.process.stdin.close()

        answer = await server.answer(sent)

    assert answer["result"]["stdout"] == "done\n"
