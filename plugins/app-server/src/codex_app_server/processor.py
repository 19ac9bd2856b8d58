"""The request processor: dispatches the requests of all connections, independent of their transports."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from codex_app_server.connection import (
    MISSING_PARAMS,
    Connection,
    InProcessClient,
    check_answer,
    check_params,
    find_fault,
    internal_error,
)
from codex_app_server.turns.subscriptions import UNATTENDED_SECONDS, Subscription
from codex_hookspecs.errors import CodexError, ConfigError, RpcError, WireError
from codex_hookspecs.protocol import Notification, OtherNotification, ThreadClosed, ThreadStatusChanged
from codex_hookspecs.surface import RpcContext, RpcMethod, resolve_type

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
    from typing import Any

    from codex_app_server.disconnect import DisconnectCallbacks
    from codex_hookspecs.host import LoadedThread
    from codex_hookspecs.protocol import JsonObject
    from codex_hookspecs.surface import SurfaceHost

    AfterResponse = list[Callable[[], Awaitable[None]]]

_CLOSE_SECONDS: Final = 10.0
_MAX_LOGGED_ID: Final = 64
_BEGINS: Final = (
    "thread/start",
    "thread/resume",
    "thread/fork",
    "thread/shellCommand",
    "turn/start",
    "review/start",
)
"""Methods that begin what a server that is shutting down would not finish."""


class Processor:
    """The request processor of the program.

    :ivar ending: whether the server is shutting down, so that clients can begin nothing new.
    """

    def __init__(self, host: SurfaceHost) -> None:
        self._host = host
        self._methods: dict[str, RpcMethod] = {}
        self._connections: dict[int, Connection] = {}
        self._on_disconnect: DisconnectCallbacks | None = None
        self._subscriptions: dict[str, Subscription] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._connections_made = 0
        self._requests_made = 0
        self.ending = False
        self.unattended_seconds = _seconds(host.config.get("plugins.app-server.unattended_seconds"))
        self._log = host.logger("app-server")

    @property
    def host(self) -> SurfaceHost:
        """The host of the program."""
        return self._host

    def warnings(self) -> Sequence[str]:
        """Return the warnings about the program's configuration, and about plugins so far; threads have their own."""
        try:
            found = self._host.config.for_directory(None).warnings()
        except ConfigError as error:
            found = [f"{error}; what was read before stays in force"]
        self._host.rpc_method("thread/start")  # Where other plugins offer methods, it asks them all.
        return list(dict.fromkeys((*found, *self._host.startup_warnings())))

    @property
    def methods(self) -> Mapping[str, RpcMethod]:
        """All methods, by name: those of all plugins, and those of the protocol that are not available."""
        from codex_app_server.program.unavailable import with_unavailable

        return with_unavailable(self._host.rpc_methods())

    async def connect(
        self, *, client_name: str, client_version: str, session_source: str, experimental: bool = True
    ) -> InProcessClient:
        """Connect a client inside this program."""
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
        """Return the number of a new connection."""
        self._connections_made += 1
        return self._connections_made

    def next_request_id(self) -> int:
        """Return the id of the next request to clients."""
        self._requests_made += 1
        return self._requests_made - 1

    def attach(self, connection: Connection) -> None:
        """Add a client whose handshake is complete."""
        self._connections[connection.number] = connection

    async def detach(self, connection: Connection) -> None:
        """Remove a client, release what belongs to it and unload the threads that have no other subscriber."""
        self._connections.pop(connection.number, None)
        await self.release(connection)
        for thread_id in tuple(self._subscriptions):
            if self._unsubscribe(connection, thread_id):
                await self._unload_if_unused(thread_id)

    async def release(self, connection: Connection) -> None:
        """End what belongs to a client alone, such as its commands and searches."""
        if self._on_disconnect is not None:
            await self._on_disconnect.run(connection.number)

    async def call(self, connection: Connection, name: str, params: Any) -> Any:
        """Handle a request of a client inside this program; what would fail for an external client fails here.

        :param params: value of the method's parameter class, or a JSON object; ``None`` when they are missing.
        :raises RpcError: when the request fails.
        """
        method = self.method(name)
        result, after = await self.run(connection, method, self._read_params(method, params))
        for action in after:
            self.spawn(action())
        check_answer(name, result)
        return result

    def can_send(self, notification: OtherNotification) -> bool:
        """Return whether a plugin's notification is valid JSON; if not, it is logged."""
        fault = find_fault(notification)
        if fault:
            self._log.error("notification %s can't be sent: %s", notification.method, fault)
        return not fault

    def _read_params(self, method: RpcMethod, params: Any) -> Any:
        """Return the parameters of a request of a client inside this program.

        :raises RpcError: when they are missing or invalid.
        """
        if method.params is None:
            return None
        if params is None:
            raise RpcError(MISSING_PARAMS)
        if isinstance(params, resolve_type(method.params)):
            return params
        check_params(params)
        return self.decode_params(method, params)

    def method(self, name: str) -> RpcMethod:
        """Return the method of a name.

        :raises RpcError: when it is unknown.
        """
        method = self._methods.get(name) or self._host.rpc_method(name) or self.methods.get(name)
        if method is None:
            known = ", ".join(f"`{known}`" for known in sorted({"initialize", *self.methods}))
            raise RpcError(f"Invalid request: unknown variant `{name}`, expected one of {known}")
        self._methods[name] = method
        return method

    def decode_params(self, method: RpcMethod, params: Any) -> Any:
        """Decode the parameters of a request to the method's parameter class.

        :raises RpcError: when they are invalid.
        """
        from codex_hookspecs.wire import decode

        try:
            return decode(resolve_type(method.params), params)
        except WireError as error:
            raise RpcError(f"Invalid request: {error.faults[0][0]}") from error

    async def run(self, connection: Connection, method: RpcMethod, params: Any) -> tuple[Any, AfterResponse]:
        """Run a method; return its result, and the actions to run after the response has been sent.

        :raises RpcError: when the request fails.
        """
        if not connection.experimental:
            _refuse_experimental(method, params)
        if self.ending and method.name in _BEGINS:
            raise _shutting_down()
        after: AfterResponse = []
        thread_id = getattr(params, "thread_id", None) or ""
        facts = {"connection": connection.number, "thread_id": thread_id[:_MAX_LOGGED_ID] or None}
        self._log.debug("request %s", method.name, extra=facts)
        try:
            return await method.handle(params, self._context(connection, after)), after
        except RpcError as error:
            self._log.debug("request %s refused: %s", method.name, error.code, extra=facts)  # Messages quote values.
            raise
        except ConfigError as error:
            raise RpcError(str(error)) from error
        except CodexError as error:
            raise internal_error(str(error)) from error
        except Exception as error:
            self._log.error("%s failed: %r%s", method.name, error, _place_of(error))  # at debug below
            self._log.debug("%s failed", method.name, exc_info=True)
            raise internal_error(f"{method.name} failed: {error!r}") from error

    async def broadcast(self, notification: Notification) -> None:
        """Send a notification to all clients; a slow one delays none of the others."""
        for connection in tuple(self._connections.values()):
            await connection.notify(notification, wait=False)

    def subscribe(self, connection: Connection, thread: LoadedThread) -> None:
        """Subscribe a client to a thread."""
        subscription = self._subscriptions.get(thread.id)
        if subscription is None or subscription.thread is not thread:
            if subscription is not None:
                subscription.end()
            subscription = self._subscriptions[thread.id] = Subscription(self, thread)
        subscription.add(connection)

    def warn(self, text: str) -> None:
        """Log a warning."""
        self._log.warning("%s", text)

    def spawn(self, work: Coroutine[Any, Any, None] | Awaitable[None]) -> None:
        """Run a coroutine in the background; a failure is logged."""
        task = asyncio.ensure_future(self._log_failure(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def aclose(self) -> None:
        """Remove all clients, unload their threads and wait for background tasks; may be called twice."""
        for connection in tuple(self._connections.values()):
            await self.detach(connection)
        await asyncio.gather(*(self._unload(thread_id) for thread_id in tuple(self._subscriptions)))
        if self._tasks:
            _done, late = await asyncio.wait(self._tasks, timeout=_CLOSE_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _log_failure(self, work: Awaitable[None]) -> None:
        try:
            await work
        except Exception:
            self._log.exception("a background task failed")

    def _context(self, connection: Connection, after: AfterResponse) -> RpcContext:
        def subscribe(thread: LoadedThread) -> None:
            self.subscribe(connection, thread)
            after.append(lambda: self._ask_again(connection, thread.id))

        def unsubscribe(thread_id: str) -> bool:
            left = self._unsubscribe(connection, thread_id)
            if left:
                after.append(lambda: self._unload_if_unused(thread_id))
            return left

        def on_disconnect(callback: Callable[[], Awaitable[None]]) -> None:
            if connection.number not in self._connections:
                self.spawn(callback())
                return
            if self._on_disconnect is None:
                from codex_app_server.disconnect import DisconnectCallbacks  # Not needed in ordinary turns.

                self._on_disconnect = DisconnectCallbacks(self._host.logger("app-server"))
            self._on_disconnect.add(connection.number, callback)

        async def request(method: str, params: Any) -> JsonObject:
            from codex_app_server.asking import ask  # Not needed in ordinary turns.

            return await ask(connection, self.next_request_id(), method, params, seconds=self.unattended_seconds)

        async def notify(notification: Notification) -> None:
            _require_notification(notification)
            await connection.notify(notification)

        async def broadcast(notification: Notification) -> None:
            _require_notification(notification)
            await self.broadcast(notification)

        return RpcContext(
            host=self._host,
            connection_id=connection.number,
            client_name=connection.client_name,
            client_version=connection.client_version,
            session_source=connection.session_source,
            transport=connection.transport,
            experimental=connection.experimental,
            notify=notify,
            broadcast=broadcast,
            request=request,
            subscribe=subscribe,
            unsubscribe=unsubscribe,
            after_response=after.append,
            on_disconnect=on_disconnect,
        )

    def _unsubscribe(self, connection: Connection, thread_id: str) -> bool:
        subscription = self._subscriptions.get(thread_id)
        return subscription is not None and subscription.remove(connection.number)

    async def _ask_again(self, connection: Connection, thread_id: str) -> None:
        subscription = self._subscriptions.get(thread_id)
        if subscription is not None:
            await subscription.ask_again(connection)

    async def _unload_if_unused(self, thread_id: str) -> None:
        """Unload a thread without subscribers; a running turn goes on to its end before."""
        subscription = self._subscriptions.get(thread_id)
        if subscription is not None and self._host.threads.get(thread_id) is not subscription.thread:
            del self._subscriptions[thread_id]  # It was archived.
            subscription.end()
            return
        if subscription is None or subscription.connections or subscription.unloads:
            return
        if subscription.thread.active_turn_id is None:
            await self._unload(thread_id)
        else:
            subscription.unloads = True
            self.spawn(self._unload_after_turn(subscription))

    async def _unload_after_turn(self, subscription: Subscription) -> None:
        await subscription.thread.wait_idle()
        subscription.unloads = False
        if self._subscriptions.get(subscription.thread.id) is subscription:
            await self._unload_if_unused(subscription.thread.id)

    async def _unload(self, thread_id: str) -> None:
        subscription = self._subscriptions.pop(thread_id, None)
        if subscription is None:
            return
        await self._host.threads.unload(thread_id)
        subscription.end()
        await self.broadcast(ThreadStatusChanged(thread_id=thread_id, status={"type": "notLoaded"}))
        await self.broadcast(ThreadClosed(thread_id=thread_id))


def _shutting_down() -> RpcError:
    """Return the error of a request that comes too late; its code tells clients to try again."""
    from codex_hookspecs.jsonrpc import OVERLOADED

    return RpcError("the server is shutting down; retry later", code=OVERLOADED)


def _require_notification(given: object) -> None:
    """Check what a plugin sends.

    :raises TypeError: when it is no notification.
    """
    if not isinstance(given, Notification):
        raise TypeError(f"a notification is {type(given).__name__}, allowed is a subclass of Notification")


def _seconds(value: Any) -> float:
    """Return the time of the setting ``unattended_seconds``, or the default for a value that is none."""
    valid = isinstance(value, int | float) and not isinstance(value, bool) and value > 0
    return float(value) if valid else UNATTENDED_SECONDS


def _place_of(error: BaseException) -> str:
    """Return the file and line where an error was raised, as the end of a message."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    return "" if traceback is None else f" ({traceback.tb_frame.f_code.co_filename}:{traceback.tb_lineno})"


def _refuse_experimental(method: RpcMethod, params: Any) -> None:
    if method.experimental:
        raise RpcError(f"{method.name} requires experimentalApi capability")
    for attribute in getattr(params, "__attrs_attrs__", ()):
        value = getattr(params, attribute.name)
        if attribute.metadata.get("experimental") and value:
            from codex_hookspecs.wire import wire_name

            raise RpcError(f"{method.name}.{wire_name(attribute)} requires experimentalApi capability")
        if hasattr(value, "EXPERIMENTAL"):
            raise RpcError(f"{value.EXPERIMENTAL} requires experimentalApi capability")
