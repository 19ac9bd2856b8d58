"""Carry what happens in a thread to the clients that subscribed to it, and its questions to them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Protocol

from codex_hookspecs.errors import RpcError
from codex_hookspecs.protocol import (
    Notification,
    OtherNotification,
    ServerRequestResolved,
    ThreadClosed,
    ThreadNameUpdated,
    ThreadStarted,
    ThreadStatusChanged,
)

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from codex_app_server.connection import Connection
    from codex_hookspecs.host import LoadedThread
    from codex_hookspecs.protocol import JsonObject

TO_ALL: Final = (ThreadStarted, ThreadStatusChanged, ThreadNameUpdated, ThreadClosed, OtherNotification)
"""Notifications that every client gets, whether it subscribed to the thread or not."""

_FLAGS: Final = {"item/tool/requestUserInput": "waitingOnUserInput"}
_IDLE_LIMIT: Final = 30.0


class ConnectionGoneError(RpcError):
    """Raised by a question whose client left before it answered."""


class Clients(Protocol):
    """All clients of the program."""

    async def broadcast(self, notification: Notification) -> None:
        """Tell every client something."""

    def next_request_id(self) -> int:
        """Return the id of the next question to clients."""

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Have something done beside the requests."""


class Subscription:
    """One loaded thread and the clients that follow it."""

    def __init__(self, clients: Clients, thread: LoadedThread) -> None:
        self._clients = clients
        self.thread = thread
        self.connections: dict[int, Connection] = {}
        self._waiting: dict[int, str] = {}
        self._unlisten = thread.listen(self._tell)
        thread.set_request_handler(self._ask)

    def end(self) -> None:
        """Stop following the thread."""
        self._unlisten()
        self.thread.set_request_handler(None)

    async def _tell(self, notification: Notification) -> None:
        if isinstance(notification, TO_ALL):
            await self._clients.broadcast(notification)
            return
        for connection in tuple(self.connections.values()):
            await connection.notify(notification)

    async def _ask(self, method: str, params: JsonObject) -> JsonObject:
        request_id = self._clients.next_request_id()
        self._waiting[request_id] = _FLAGS.get(method, "waitingOnApproval")
        await self._tell_status()
        try:
            answer = await self._first_answer(request_id, method, params)
        except asyncio.CancelledError:
            del self._waiting[request_id]
            self._clients.spawn(self._resolve_when_idle(request_id))
            raise
        except RpcError:
            await self._resolve(request_id)
            raise
        await self._resolve(request_id)
        return answer

    async def _first_answer(self, request_id: int, method: str, params: JsonObject) -> JsonObject:
        """Ask all clients at once; the first that answers decides for all."""
        connections = tuple(self.connections.values())
        if len(connections) == 1:
            return await connections[0].ask(request_id, method, params)
        pending = {asyncio.ensure_future(connection.ask(request_id, method, params)) for connection in connections}
        try:
            while pending:
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    if not isinstance(task.exception(), ConnectionGoneError):
                        return task.result()
        finally:
            for task in pending:
                task.cancel()
            await asyncio.gather(*pending, return_exceptions=True)
        raise RpcError("no client is left that could answer")

    async def _resolve(self, request_id: int) -> None:
        del self._waiting[request_id]
        await self._tell(ServerRequestResolved(thread_id=self.thread.id, request_id=request_id))
        if self.thread.active_turn_id is not None:
            await self._tell_status()

    async def _resolve_when_idle(self, request_id: int) -> None:
        """Settle the question of an interrupted turn after the turn's own messages."""
        async with asyncio.timeout(_IDLE_LIMIT):
            await self.thread.wait_idle()
        await self._tell(ServerRequestResolved(thread_id=self.thread.id, request_id=request_id))

    def _tell_status(self) -> Coroutine[Any, Any, None]:
        return self.thread.set_status({"type": "active", "activeFlags": sorted(set(self._waiting.values()))})
