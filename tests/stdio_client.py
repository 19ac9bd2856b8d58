"""A client of ``codex app-server`` over its standard streams, for tests without turns."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from protocol_0118.observation import Observer

CODEX = str(Path(sys.executable).with_name("codex"))
LIMIT = 60
Message = dict[str, Any]


class Client:
    """One client; what comes between a request and its response is kept.

    :ivar notifications: notifications that were received and not taken yet, oldest first.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.notifications: list[Message] = []
        self._answers: dict[int, Message] = {}
        self._last = 0
        self.observer = Observer()

    async def send(self, method: str, params: Message) -> int:
        """Send a request and return its id."""
        self._last += 1
        await self._write({"id": self._last, "method": method, "params": params})
        return self._last

    async def answer(self, ident: int) -> Message:
        """Return the response to a request."""
        await self._until(lambda: ident in self._answers)
        return self._answers.pop(ident)

    async def call(self, method: str, **params: Any) -> Any:
        """Send a request and return its result."""
        found = await self.answer(await self.send(method, params))
        assert "error" not in found, found
        return found["result"]

    async def refusal(self, method: str, **params: Any) -> tuple[int, str]:
        """Send a request and return code and message of its error."""
        found = await self.answer(await self.send(method, params))
        assert "error" in found, found
        return found["error"]["code"], found["error"]["message"]

    async def notification(self, method: str) -> Message:
        """Return the parameters of the next notification of a method."""
        await self._until(lambda: any(each["method"] == method for each in self.notifications))
        found = next(each for each in self.notifications if each["method"] == method)
        self.notifications.remove(found)
        params: Message = found["params"]
        return params

    async def initialize(self) -> None:
        """Perform the handshake, with the experimental API."""
        capabilities = {"experimentalApi": True}
        await self.call("initialize", clientInfo={"name": "probe", "version": "1"}, capabilities=capabilities)
        await self._write({"method": "initialized"})

    async def _write(self, message: Message) -> None:
        assert self.process.stdin is not None
        text = json.dumps(message)
        self.observer.asked(text)
        self.process.stdin.write(text.encode() + b"\n")
        await self.process.stdin.drain()

    async def _until(self, done: Callable[[], bool]) -> None:
        assert self.process.stdout is not None
        async with asyncio.timeout(LIMIT):
            while not done():
                line = await self.process.stdout.readline()
                assert line, "the server has ended"
                message = json.loads(line)
                self.observer.sent(message)
                if "method" in message:
                    self.notifications.append(message)
                else:
                    self._answers[message["id"]] = message


@asynccontextmanager
async def connected(folder: Path, config: str = "") -> AsyncIterator[Client]:
    """Start a server in ``folder/ws`` and connect to it; it must end when the client is gone."""
    home, space = folder / "home", folder / "ws"
    home.mkdir()
    space.mkdir(exist_ok=True)
    (home / "config.toml").write_text(config)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CODEX", "OPENAI"))}
    process = await asyncio.create_subprocess_exec(
        CODEX, "app-server", cwd=space, env={**kept, "CODEX_HOME": str(home)}, limit=2**28,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        client = Client(process)
        await client.initialize()
        yield client
        assert process.stdin is not None
        process.stdin.close()
        async with asyncio.timeout(LIMIT):
            await process.communicate()
        assert process.returncode == 0
        assert client.observer.faults == []
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
