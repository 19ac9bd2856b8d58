"""A proxy that makes a current exec-server speak the protocol of 0.118.

async with exec_server() as running, server_0118(running.url) as older:
    ...  # older.url

It has no sessions, no file URIs and only the methods of 0.118; the processes of a connection end with it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from codex_hookspecs.types.json import JsonObject

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection
    from websockets.asyncio.server import ServerConnection

_FILES = ("readFile", "writeFile", "createDirectory", "getMetadata", "readDirectory", "remove", "copy")
METHODS: Final = frozenset(
    ("initialize", "initialized", *(f"process/{name}" for name in ("start", "read", "write", "terminate")))
) | {f"fs/{name}" for name in _FILES}
_NEWER: Final = frozenset(("sessionId", "environmentInfo", "sandboxType", "sandboxDenied"))
_OWN_IDS: Final = "0118-"
_OPTIONS: Final[dict[str, Any]] = {
    "compression": None,
    "max_size": None,
    "ping_interval": None,
    "close_timeout": 0.2,
}


class Server0118:
    """The proxy.

    :param wake_up: whether notifications of output lack the bytes, so that the client must use ``process/read``.
    :ivar asked: methods that the client called, in order.
    :ivar refused: those of them that 0.118 does not have.
    """

    def __init__(self, behind: str, *, wake_up: bool) -> None:
        self.url = ""
        self.asked: list[str] = []
        self.refused: list[str] = []
        self._behind = behind
        self._wake_up = wake_up
        self._connections: set[ServerConnection] = set()
        self._changed = asyncio.Event()

    def cut(self) -> None:
        """Abort all connections of clients."""
        for connection in self._connections:
            connection.transport.abort()

    async def until_asked(self, method: str) -> None:
        """Wait until a method is called."""
        while method not in self.asked:
            self._changed.clear()
            await self._changed.wait()

    async def handle(self, client: ServerConnection) -> None:
        """Serve one connection."""
        from websockets.asyncio.client import connect
        from websockets.exceptions import ConnectionClosed

        self._connections.add(client)
        started: set[str] = set()
        async with connect(self._behind, **_OPTIONS) as server:
            back = asyncio.create_task(self._pass_back(server, client))
            try:
                with suppress(ConnectionClosed):
                    async for text in client:
                        await self._pass_on(json.loads(text), client, server, started)
            finally:
                self._connections.discard(client)
                back.cancel()
                await asyncio.gather(back, return_exceptions=True)
                with suppress(ConnectionClosed):
                    for number, process_id in enumerate(started):
                        asked = {"id": f"{_OWN_IDS}{number}", "method": "process/terminate"}
                        await server.send(json.dumps({**asked, "params": {"processId": process_id}}))

    async def _pass_on(
        self, message: JsonObject, client: ServerConnection, server: ClientConnection, started: set[str]
    ) -> None:
        method, params = str(message.get("method")), message.get("params") or {}
        self.asked.append(method)
        self._changed.set()
        if method not in METHODS:
            self.refused.append(method)
            error = {"code": -32601, "message": f"exec-server stub does not implement `{method}` yet"}
            await client.send(json.dumps({"id": message["id"], "error": error}))
            return
        if method == "initialize":
            message = {**message, "params": {"clientName": params["clientName"]}}
        if method == "process/start":
            started.add(params["processId"])
        await server.send(json.dumps(message))

    async def _pass_back(self, server: ClientConnection, client: ServerConnection) -> None:
        from websockets.exceptions import ConnectionClosed

        with suppress(ConnectionClosed):
            async for text in server:
                message = json.loads(text)
                for member in ("result", "params"):
                    if isinstance(message.get(member), dict):
                        message[member] = self._older(message[member], told="method" in message)
                await client.send(json.dumps(message))

    def _older(self, members: JsonObject, *, told: bool) -> JsonObject:
        gone: Any = _NEWER | {"chunk", "stream"} if self._wake_up and told else _NEWER
        return {name: value for name, value in members.items() if name not in gone}


@asynccontextmanager
async def server_0118(behind: str, *, wake_up: bool = False) -> AsyncIterator[Server0118]:
    """Run the proxy in front of a server.

    :param wake_up: whether notifications of output lack the bytes.
    """
    from websockets.asyncio.server import serve

    older = Server0118(behind, wake_up=wake_up)
    async with serve(older.handle, "127.0.0.1", 0, **_OPTIONS) as listener:
        older.url = f"ws://127.0.0.1:{next(iter(listener.sockets)).getsockname()[1]}"
        yield older


async def main() -> None:
    """Run such a server until SIGTERM, and print its address."""
    import signal

    from codex_testkit.servers.exec_client import exec_server

    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    async with exec_server() as running, server_0118(running.url) as older:
        print(older.url, flush=True)
        await ended.wait()


if __name__ == "__main__":
    asyncio.run(main())
