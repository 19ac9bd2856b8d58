"""Connections of clients to the request processor, the client inside of this program, and what can be sent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, Protocol

from codex_app_server.outbox import Outbox
from codex_hookspecs.errors import RpcError
from codex_hookspecs.protocol import Notification, OtherNotification
from codex_hookspecs.wire import encode

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from typing import Any

    from codex_hookspecs.host import RequestHandler
    from codex_hookspecs.protocol import JsonObject


ORIGINATOR_OVERRIDE: Final = "CODEX_INTERNAL_ORIGINATOR_OVERRIDE"
"""Environment variable with a name in place of the client's."""
IN_PROCESS: Final = "in_process"
"""Transport name of clients inside this program."""
MISSING_PARAMS: Final = "Invalid request: missing field `params`"
UNSENDABLE: Final = (TypeError, ValueError, RecursionError)
"""What encoding raises for a value that JSON has not, or that holds itself."""


class Requests(Protocol):
    """Handles requests of clients inside this program."""

    async def call(self, connection: Connection, name: str, params: Any) -> Any:
        """Handle a request."""
        ...

    def can_send(self, notification: OtherNotification) -> bool:
        """Return whether a plugin's notification is valid JSON."""
        ...

    async def detach(self, connection: Connection) -> None:
        """Remove a client."""
        ...


class Connection(Protocol):
    """A client as the processor sees it.

    ``client_name`` is empty until the handshake is complete; before that no notifications are sent.
    """

    number: int
    client_name: str
    client_version: str
    session_source: str
    transport: str
    experimental: bool

    async def notify(self, notification: Notification, *, wait: bool = True) -> None:
        """Send a notification unless the client opted out of it.

        :param wait: whether to wait for one client of several that is slow; others are always waited for.
        """
        ...

    async def request_client(self, request_id: int, method: str, params: JsonObject) -> JsonObject:
        """Send a request to the client and return its result.

        :raises RpcError: when the client responds with an error.
        :raises ConnectionLost: when the client disconnects before it responds.
        """
        ...


class InProcessClient:
    """A client inside this program: requests are calls, and notifications are passed as values."""

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
        """Iterate the notifications until the connection is closed."""
        while (notification := await self._outbox.get()) is not None:
            yield notification

    def set_request_handler(self, handler: RequestHandler | None) -> None:
        """Set the handler of the server's requests."""
        self._request_handler = handler

    async def notify(self, notification: Notification, *, wait: bool = True) -> None:
        """Queue a notification, with backpressure; one that could not be sent to external clients is dropped."""
        if isinstance(notification, OtherNotification) and not self._requests.can_send(notification):
            return
        await self._outbox.put(notification)

    async def request_client(self, request_id: int, method: str, params: JsonObject) -> JsonObject:
        """Call the client's request handler."""
        if self._request_handler is None:
            raise RpcError(f"{self.client_name} answers no requests such as {method}")
        return await self._request_handler(method, params)

    async def aclose(self) -> None:
        """Disconnect."""
        self._outbox.close()
        await self._requests.detach(self)


def internal_error(message: str) -> RpcError:
    """Return the error of a request that failed through no fault of the client."""
    from codex_hookspecs.jsonrpc import INTERNAL_ERROR

    return RpcError(message, code=INTERNAL_ERROR)


def unsendable_answer(method: str, error: Exception) -> RpcError:
    """Return the error in place of an answer that can't be sent."""
    return internal_error(f"the answer to {method} can't be sent: {error}")


def check_answer(method: str, result: Any) -> None:
    """Check that a method's answer could be sent.

    :raises RpcError: when it could not.
    """
    try:
        _dump(encode(result))
    except UNSENDABLE as error:
        raise unsendable_answer(method, error) from error


def check_params(params: Any) -> None:
    """Check that a request's parameters could have been sent.

    :raises RpcError: when they could not.
    """
    try:
        _dump(params)
    except UNSENDABLE as error:
        raise RpcError(f"Invalid request: {error}") from error


def find_fault(notification: OtherNotification) -> str:
    """Return why a plugin's notification can't be sent, or the empty string."""
    try:
        _dump(notification.params)
    except UNSENDABLE as error:
        return str(error)
    return ""


def _dump(value: Any) -> None:
    json.dumps(value, ensure_ascii=False, allow_nan=False)
