"""Forward a thread's notifications and requests to the clients that are subscribed to it."""

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

BROADCAST: Final = (ThreadStarted, ThreadStatusChanged, ThreadNameUpdated, ThreadClosed, OtherNotification)
"""Notifications that are sent to all clients, subscribed or not."""

_FLAGS: Final = {"item/tool/requestUserInput": "waitingOnUserInput"}
_IDLE_SECONDS: Final = 30.0


class ConnectionLost(RpcError):
    """Raised by a request to a client that disconnected before it responded."""


class Clients(Protocol):
    """All connected clients."""

    async def broadcast(self, notification: Notification) -> None:
        """Send a notification to all clients."""

    def next_request_id(self) -> int:
        """Return the id of the next request to clients."""

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine in the background."""


class Subscription:
    """A loaded thread and the clients that are subscribed to it."""

    def __init__(self, clients: Clients, thread: LoadedThread) -> None:
        self._clients = clients
        self.thread = thread
        self.connections: dict[int, Connection] = {}
        self._waiting: dict[int, str] = {}
        self._unlisten = thread.listen(self._notify)
        thread.set_request_handler(self._request_clients)

    def end(self) -> None:
        """Stop listening to the thread."""
        self._unlisten()
        self.thread.set_request_handler(None)

    async def _notify(self, notification: Notification) -> None:
        if isinstance(notification, BROADCAST):
            await self._clients.broadcast(notification)
            return
        for connection in tuple(self.connections.values()):
            await connection.notify(notification)

    async def _request_clients(self, method: str, params: JsonObject) -> JsonObject:
        request_id = self._clients.next_request_id()
        self._waiting[request_id] = _FLAGS.get(method, "waitingOnApproval")
        await self._update_status()
        try:
            answer = await self._first_response(request_id, method, params)
        except asyncio.CancelledError:
            del self._waiting[request_id]
            self._clients.spawn(self._resolve_when_idle(request_id))
            raise
        except RpcError:
            await self._resolve(request_id)
            raise
        await self._resolve(request_id)
        return answer

    async def _first_response(self, request_id: int, method: str, params: JsonObject) -> JsonObject:
        """Send the request to all subscribers; the first response counts."""
        connections = tuple(self.connections.values())
        if len(connections) == 1:
            return await connections[0].request_client(request_id, method, params)
        pending = {
            asyncio.ensure_future(connection.request_client(request_id, method, params)) for connection in connections
        }
        try:
            while pending:
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    if not isinstance(task.exception(), ConnectionLost):
                        return task.result()
        finally:
            for task in pending:
                task.cancel()
            await asyncio.gather(*pending, return_exceptions=True)
        raise RpcError("no client is connected that could respond")

    async def _resolve(self, request_id: int) -> None:
        del self._waiting[request_id]
        await self._notify(ServerRequestResolved(thread_id=self.thread.id, request_id=request_id))
        if self.thread.active_turn_id is not None:
            await self._update_status()

    async def _resolve_when_idle(self, request_id: int) -> None:
        """Resolve the request of an interrupted turn after the turn's own notifications."""
        async with asyncio.timeout(_IDLE_SECONDS):
            await self.thread.wait_idle()
        await self._notify(ServerRequestResolved(thread_id=self.thread.id, request_id=request_id))

    def _update_status(self) -> Coroutine[Any, Any, None]:
        return self.thread.set_status({"type": "active", "activeFlags": sorted(set(self._waiting.values()))})
