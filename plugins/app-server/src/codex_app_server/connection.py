"""One client of the request processor, whatever its transport."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from codex_app_server.outbox import Outbox
from codex_hookspecs.protocol import Notification, OtherNotification

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from typing import Any

    from codex_hookspecs.host import RequestHandler
    from codex_hookspecs.protocol import JsonObject


IN_PROCESS: Final = "in_process"
"""How clients inside the program are connected."""


class Requests(Protocol):
    """Handles what clients inside the program ask."""

    async def call(self, connection: Connection, name: str, params: Any) -> Any:
        """Handle a request."""
        ...

    async def detach(self, connection: Connection) -> None:
        """Let a client go."""
        ...


class Connection(Protocol):
    """What the processor knows of a client.

    ``client_name`` is empty until the handshake is done; only then notifications are sent.
    """

    number: int
    client_name: str
    client_version: str
    session_source: str
    transport: str
    experimental: bool

    async def notify(self, notification: Notification) -> None:
        """Tell the client something, waiting while it is slow, unless it opted out of it."""
        ...

    async def ask(self, request_id: int, method: str, params: JsonObject) -> JsonObject:
        """Ask the client and return its answer.

        :raises RpcError: when it refuses.
        :raises ConnectionGoneError: when it leaves before it answers.
        """
        ...


def method_of(notification: Notification) -> str:
    """Return the name of a notification on the wire."""
    return notification.method if isinstance(notification, OtherNotification) else notification.METHOD


class InProcessClient:
    """A front end inside the program: requests are calls, notifications the values themselves."""

    def __init__(
        self,
        requests: Requests,
        number: int,
        *,
        client_name: str,
        client_version: str,
        session_source: str,
        experimental: bool,
    ) -> None:
        self._requests = requests
        self._outbox: Outbox[Notification] = Outbox()
        self._request_handler: RequestHandler | None = None
        self.number = number
        self.client_name = client_name
        self.client_version = client_version
        self.session_source = session_source
        self.transport = IN_PROCESS
        self.experimental = experimental

    async def request(self, method: str, params: Any = None) -> Any:
        """Call a method; see :class:`~codex_hookspecs.ports.surface.AppClient`."""
        return await self._requests.call(self, method, params)

    async def notifications(self) -> AsyncIterator[Notification]:
        """Iterate what the server tells, until the connection is closed."""
        while (notification := await self._outbox.get()) is not None:
            yield notification

    def set_request_handler(self, handler: RequestHandler | None) -> None:
        """Set who answers the server's requests."""
        self._request_handler = handler

    async def notify(self, notification: Notification) -> None:
        """Hand a notification over."""
        await self._outbox.put(notification)

    async def ask(self, request_id: int, method: str, params: JsonObject) -> JsonObject:
        """Let the front end answer a question."""
        if self._request_handler is None:
            from codex_hookspecs.errors import RpcError

            raise RpcError(f"{self.client_name} answers no requests such as {method}")
        return await self._request_handler(method, params)

    async def aclose(self) -> None:
        """Leave."""
        self._outbox.close()
        await self._requests.detach(self)
