"""A client of the app-server that speaks its wire format over memory."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from codex_app_server import plugin
from codex_app_server.processor import Processor
from codex_app_server.wire_connection import WireConnection
from protocol_0118.observation import Observer

LIMIT = 10


class MemoryTransport:
    """What the client sent, and what it was sent."""

    name = "memory"
    patient = True

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self.to_server: asyncio.Queue[str | None] = asyncio.Queue()
        self.to_client: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def receive(self) -> str | None:
        return await self.to_server.get()

    async def send(self, message: bytes) -> None:
        sent = json.loads(message)
        self._observer.sent(sent)
        self.to_client.put_nowait(sent)

    def drop(self) -> None:
        self.to_server.put_nowait(None)


class WireClient:
    """One connection; answers and notifications come in the order they were sent."""

    def __init__(self, processor: Processor) -> None:
        self._observer = Observer(tuple(processor.methods.values()))
        self.transport = MemoryTransport(self._observer)
        self.serving = asyncio.create_task(WireConnection(processor, self.transport).serve())
        self.last: list[dict[str, Any]] = []
        self._number = 0

    def send(self, text: str) -> None:
        self._observer.asked(text)
        self.transport.to_server.put_nowait(text)

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(LIMIT):
            return await self.transport.to_client.get()

    async def ask(self, method: str, params: Any = ..., *, number: int | str | None = None) -> dict[str, Any]:
        """Send a request and return its answer; what came before it is in ``last``."""
        self._number += 1
        number = self._number if number is None else number
        given = {} if params is ... else {"params": params}
        self.send(json.dumps({"method": method, "id": number, **given}))
        self.last = []
        while (message := await self.next()).get("id") != number or "method" in message:
            self.last.append(message)
        return message

    async def result(self, method: str, params: Any = ...) -> Any:
        answer = await self.ask(method, params)
        assert "error" not in answer, answer
        return answer["result"]

    async def refusal(self, method: str, params: Any = ...) -> tuple[int, str]:
        answer = await self.ask(method, params)
        assert "result" not in answer, answer
        return answer["error"]["code"], answer["error"]["message"]

    async def until(self, method: str) -> list[dict[str, Any]]:
        """Return the messages up to the next one of this method."""
        messages = [await self.next()]
        while messages[-1].get("method") != method:
            messages.append(await self.next())
        return messages

    async def thread(self, **params: Any) -> str:
        """Start a thread and return its id."""
        opened = await self.result("thread/start", params)
        assert (await self.next())["method"] == "thread/started"
        return opened["thread"]["id"]

    async def turn(self, thread_id: str, text: str = "go", **params: Any) -> list[dict[str, Any]]:
        """Run a turn and return its messages."""
        given = {"threadId": thread_id, "input": [{"type": "text", "text": text}], **params}
        await self.result("turn/start", given)
        return await self.until("turn/completed")

    async def leave(self) -> None:
        self.transport.to_server.put_nowait(None)
        async with asyncio.timeout(LIMIT):
            await self.serving
        assert self._observer.faults == []


Connect = Callable[..., Awaitable[WireClient]]


@pytest.fixture
async def connect(host: Any) -> AsyncIterator[Connect]:
    """Return a factory of clients of one host; the first call takes the host's arguments."""
    async with AsyncExitStack() as stack:
        opened: list[Any] = []

        async def factory(*, hello: bool = True, capabilities: Any = None, **arguments: Any) -> WireClient:
            if not opened:
                plugins = [("app-server", plugin), *arguments.pop("plugins", [])]
                opened.append(await host(plugins=plugins, **arguments).opened())
            client = WireClient(opened[0].application.app_server())
            stack.push_async_callback(client.leave)
            if hello:
                info = {"name": "probe", "version": "1.0"}
                await client.result("initialize", {"clientInfo": info, "capabilities": capabilities})
                client.send('{"method":"initialized"}')
            return client

        yield factory
