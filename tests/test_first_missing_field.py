"""A request without parameters' fields is told of the first one that is missing, in Codex's order (0.118)."""

from __future__ import annotations

from pathlib import Path

import pytest
from app_server_client import ServerProcess

pytestmark = pytest.mark.anyio

FIRST = {
    "fs/copy": "sourcePath",
    "fs/writeFile": "path",
    "fuzzyFileSearch": "query",
    "fuzzyFileSearch/sessionStart": "sessionId",
    "fuzzyFileSearch/sessionUpdate": "sessionId",
    "review/start": "threadId",
    "thread/name/set": "threadId",
    "thread/realtime/appendAudio": "threadId",
    "thread/realtime/appendText": "threadId",
    "thread/realtime/start": "threadId",
    "thread/rollback": "threadId",
    "thread/shellCommand": "threadId",
    "turn/steer": "threadId",
}


async def test_the_first_missing_field_is_named(tmp_path: Path) -> None:
    async with ServerProcess(tmp_path) as server:
        found = {method: await server.refusal(method) for method in FIRST}

    assert found == {method: (-32600, f"Invalid request: missing field `{name}`") for method, name in FIRST.items()}
