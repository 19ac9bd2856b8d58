"""Process the requests of all clients; knows connections, not transports."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from codex_app_server.connection import Connection, InProcessClient
from codex_app_server.subscriptions import Subscription
from codex_hookspecs.errors import CodexError, ConfigError, RpcError, WireError
from codex_hookspecs.protocol import Notification, ThreadClosed, ThreadStatusChanged
from codex_hookspecs.surface import RpcContext, RpcMethod

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping
    from typing import Any

    from codex_hookspecs.host import LoadedThread
    from codex_hookspecs.surface import SurfaceHost

    After = list[Callable[[], Awaitable[None]]]

_CLOSE_LIMIT: Final = 10.0
_INTERNAL: Final = -32603


class Processor:
    """The request processor of the program."""

    def __init__(self, host: SurfaceHost) -> None:
        self._host = host
        self._methods: Mapping[str, RpcMethod] | None = None
        self._connections: dict[int, Connection] = {}
        self._subscriptions: dict[str, Subscription] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._count = 0
        self._questions = 0

    @property
    def host(self) -> SurfaceHost:
        """The running program."""
        return self._host

    @property
    def methods(self) -> Mapping[str, RpcMethod]:
        """All methods that plugins offer, by name."""
        if self._methods is None:
            self._methods = {method.name: method for method in self._host.rpc_methods()}
        return self._methods

    async def connect(
        self, *, client_name: str, client_version: str, session_source: str, experimental: bool = True
    ) -> InProcessClient:
        """Connect from inside the program."""
        client = InProcessClient(
            self,
            self.next_number(),
            client_name=client_name,
            client_version=client_version,
            session_source=session_source,
            experimental=experimental,
        )
        self.attach(client)
        return client

    def next_number(self) -> int:
        """Return a number for a new connection."""
        self._count += 1
        return self._count

    def next_request_id(self) -> int:
        """Return the id of the next question to clients."""
        self._questions += 1
        return self._questions - 1

    def attach(self, connection: Connection) -> None:
        """Take in a client whose handshake is done."""
        self._connections[connection.number] = connection

    async def detach(self, connection: Connection) -> None:
        """Let a client go and unload the threads that nobody else follows."""
        self._connections.pop(connection.number, None)
        for thread_id in tuple(self._subscriptions):
            if self._unsubscribe(connection, thread_id):
                await self._unload_unfollowed(thread_id)

    async def call(self, connection: Connection, name: str, params: Any) -> Any:
        """Handle a request of a front end inside the program.

        :param params: value of the method's parameter class, or a wire object.
        :raises RpcError: when it is refused.
        """
        method = self.method(name)
        if isinstance(params, dict) and method.params is not None:
            params = self.decoded(method, params)
        result, after = await self.run(connection, method, params)
        for action in after:
            self.spawn(action())
        return result

    def method(self, name: str) -> RpcMethod:
        """Return a method.

        :raises RpcError: when there is none of that name.
        """
        method = self.methods.get(name)
        if method is None:
            known = ", ".join(f"`{known}`" for known in sorted({"initialize", *self.methods}))
            raise RpcError(f"Invalid request: unknown variant `{name}`, expected one of {known}")
        return method

    def decoded(self, method: RpcMethod, params: Any) -> Any:
        """Return the parameters of a request as the value that the method takes.

        :raises RpcError: when they do not have its shape.
        """
        from codex_hookspecs.wire import decode

        kind = method.params
        assert kind is not None
        if not isinstance(kind, type):
            kind = kind()
        try:
            return decode(kind, params)
        except WireError as error:
            raise RpcError(f"Invalid request: {error.faults[0][0]}") from error

    async def run(self, connection: Connection, method: RpcMethod, params: Any) -> tuple[Any, After]:
        """Run a method and return its result and what is to be done once that has been sent.

        :raises RpcError: when it is refused or fails.
        """
        if not connection.experimental:
            _refuse_experimental(method, params)
        after: After = []
        try:
            return await method.handle(params, self._context(connection, after)), after
        except RpcError:
            raise
        except ConfigError as error:
            raise RpcError(str(error)) from error
        except CodexError as error:
            raise RpcError(str(error), code=_INTERNAL) from error
        except Exception as error:
            self._host.logger("app-server").exception("%s failed", method.name)
            raise RpcError(f"{method.name} failed: {error!r}", code=_INTERNAL) from error

    async def broadcast(self, notification: Notification) -> None:
        """Tell every client something."""
        for connection in tuple(self._connections.values()):
            await connection.notify(notification)

    def subscribe(self, connection: Connection, thread: LoadedThread) -> None:
        """Let a client follow a thread."""
        subscription = self._subscriptions.get(thread.id)
        if subscription is None or subscription.thread is not thread:
            subscription = self._subscriptions[thread.id] = Subscription(self, thread)
        subscription.connections[connection.number] = connection

    def spawn(self, work: Coroutine[Any, Any, None] | Awaitable[None]) -> None:
        """Have something done beside the requests; a failure is logged."""
        task = asyncio.ensure_future(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def aclose(self) -> None:
        """Unload what clients followed and end what was begun for them; may be called twice."""
        for connection in tuple(self._connections.values()):
            await self.detach(connection)
        if self._tasks:
            _done, late = await asyncio.wait(self._tasks, timeout=_CLOSE_LIMIT)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _guarded(self, work: Awaitable[None]) -> None:
        try:
            await work
        except Exception:
            self._host.logger("app-server").exception("work after a request failed")

    def _context(self, connection: Connection, after: After) -> RpcContext:
        def unsubscribe(thread_id: str) -> bool:
            left = self._unsubscribe(connection, thread_id)
            if left:
                after.append(lambda: self._unload_unfollowed(thread_id))
            return left

        return RpcContext(
            host=self._host,
            connection_id=connection.number,
            client_name=connection.client_name,
            client_version=connection.client_version,
            session_source=connection.session_source,
            transport=connection.transport,
            experimental=connection.experimental,
            notify=connection.notify,
            broadcast=self.broadcast,
            subscribe=lambda thread: self.subscribe(connection, thread),
            unsubscribe=unsubscribe,
            after_answer=after.append,
        )

    def _unsubscribe(self, connection: Connection, thread_id: str) -> bool:
        subscription = self._subscriptions.get(thread_id)
        return subscription is not None and subscription.connections.pop(connection.number, None) is not None

    async def _unload_unfollowed(self, thread_id: str) -> None:
        subscription = self._subscriptions.get(thread_id)
        if subscription is None or subscription.connections:
            return
        del self._subscriptions[thread_id]
        await self._host.threads.unload(thread_id)
        subscription.end()
        await self.broadcast(ThreadStatusChanged(thread_id=thread_id, status={"type": "notLoaded"}))
        await self.broadcast(ThreadClosed(thread_id=thread_id))


def _refuse_experimental(method: RpcMethod, params: Any) -> None:
    if method.experimental:
        raise RpcError(f"{method.name} requires experimentalApi capability")
    for attribute in getattr(params, "__attrs_attrs__", ()):
        if attribute.metadata.get("experimental") and getattr(params, attribute.name):
            from codex_hookspecs.wire import wire_name

            raise RpcError(f"{method.name}.{wire_name(attribute)} requires experimentalApi capability")
