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
    from codex_app_server.turns.open_requests import OpenRequest
    from codex_hookspecs.host import LoadedThread
    from codex_hookspecs.protocol import JsonObject

BROADCAST: Final = (ThreadStarted, ThreadStatusChanged, ThreadNameUpdated, ThreadClosed, OtherNotification)
"""Notifications that are sent to all clients, subscribed or not."""

UNATTENDED_SECONDS: Final = 600.0
"""Default of the setting ``unattended_seconds``: how long a request stays open while no client is subscribed."""
_IDLE_SECONDS: Final = 30.0


class Clients(Protocol):
    """All connected clients."""

    @property
    def unattended_seconds(self) -> float:
        """How long a request of a thread stays open while no client is subscribed, in seconds."""

    async def broadcast(self, notification: Notification) -> None:
        """Send a notification to all clients."""

    def next_request_id(self) -> int:
        """Return the id of the next request to clients."""

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine in the background."""

    def warn(self, text: str) -> None:
        """Log a warning."""


class Subscription:
    """A loaded thread and the clients that are subscribed to it.

    Requests of the thread are put to all of them, and the first answer counts. A request outlives its clients: it
    stays open for those that subscribe later, for a limited time.

    :ivar unloads: whether the thread is unloaded at the end of its turn unless somebody subscribes.
    """

    def __init__(self, clients: Clients, thread: LoadedThread) -> None:
        self._clients = clients
        self.thread = thread
        self.connections: dict[int, Connection] = {}
        self.unloads = False
        self._requests: dict[int, OpenRequest] = {}
        self._clock: asyncio.TimerHandle | None = None
        self._unlisten = thread.listen(self._notify)
        thread.set_request_handler(self._request_clients)

    def add(self, connection: Connection) -> None:
        """Add a client."""
        self.connections[connection.number] = connection
        self._set_clock()

    async def ask_again(self, connection: Connection) -> None:
        """Put the open requests to a client that was added."""
        for request in tuple(self._requests.values()):
            if connection.number in self.connections:
                request.ask(connection)

    def remove(self, number: int) -> bool:
        """Remove a client; return whether it was subscribed."""
        if self.connections.pop(number, None) is None:
            return False
        for request in self._requests.values():
            request.forget(number)
        self._set_clock()
        return True

    def end(self) -> None:
        """Stop listening to the thread."""
        self._unlisten()
        self.thread.set_request_handler(None)
        if self._clock is not None:
            self._clock.cancel()

    async def _notify(self, notification: Notification) -> None:
        if isinstance(notification, BROADCAST):
            await self._clients.broadcast(notification)
            return
        for connection in tuple(self.connections.values()):
            await connection.notify(notification)

    async def _request_clients(self, method: str, params: JsonObject) -> JsonObject:
        from codex_app_server.turns.open_requests import OpenRequest

        request = OpenRequest(self._clients.next_request_id(), method, params)
        self._requests[request.number] = request
        try:
            if request.flag is not None:
                await self._update_status()
            self._set_clock()
            for connection in tuple(self.connections.values()):
                request.ask(connection)
            answer = await request.answer
        except asyncio.CancelledError:
            self._close(request)
            self._clients.spawn(self._resolve_when_idle(request))
            raise
        except RpcError:
            await self._resolve(request)
            raise
        await self._resolve(request)
        return answer

    def _close(self, request: OpenRequest) -> None:
        del self._requests[request.number]
        request.close()
        self._set_clock()

    async def _resolve(self, request: OpenRequest) -> None:
        others = request.waiting
        self._close(request)
        resolved = ServerRequestResolved(thread_id=self.thread.id, request_id=request.number)
        if request.flag is None:
            # The item of a call tells its end; only those who might still be working on it need to know (0.118).
            for connection in tuple(self.connections.values()):
                if connection.number in others:
                    await connection.notify(resolved)
            return
        await self._notify(resolved)
        if self.thread.active_turn_id is not None:
            await self._update_status()

    async def _resolve_when_idle(self, request: OpenRequest) -> None:
        """Resolve the request of an interrupted turn after the turn's own notifications."""
        async with asyncio.timeout(_IDLE_SECONDS):
            await self.thread.wait_idle()
        await self._notify(ServerRequestResolved(thread_id=self.thread.id, request_id=request.number))

    def _update_status(self) -> Coroutine[Any, Any, None]:
        flags = {request.flag for request in self._requests.values() if request.flag is not None}
        return self.thread.set_status({"type": "active", "activeFlags": sorted(flags)})

    def _set_clock(self) -> None:
        """Limit the time of requests while no client is there that could answer them."""
        unattended = bool(self._requests) and not self.connections
        if unattended and self._clock is None:
            self._clock = asyncio.get_running_loop().call_later(self._clients.unattended_seconds, self._give_up)
        elif not unattended and self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _give_up(self) -> None:
        methods = ", ".join(sorted({request.method for request in self._requests.values()}))
        self._clients.warn(
            f"thread {self.thread.id}: no client came back to answer {methods} within "
            f"{self._clients.unattended_seconds:g} s, so the turn is interrupted"
        )
        self._clients.spawn(self._interrupt())

    async def _interrupt(self) -> None:
        turn_id = self.thread.active_turn_id
        if turn_id is not None:
            await self.thread.interrupt(turn_id)
