"""Listen in between a client and an exec-server, count what goes by, and cut the wire."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.sync.server import Server, ServerConnection, serve

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from websockets.sync.client import ClientConnection

Message = dict[str, Any]


class Tap:
    """Passes messages on while the context is open.

    :param url: the server behind it.
    :param cut: called with the number of the connection and each message of the server; true cuts both ends.
    """

    def __init__(self, url: str, cut: Callable[[int, Message], bool] = lambda _number, _message: False) -> None:
        self._url = url
        self._cut = cut
        self.connections = 0
        self.from_client: list[Message] = []
        self.from_server: list[Message] = []
        self._server: Server = serve(self._connected, "127.0.0.1", 0, compression=None, max_size=None)
        self._thread = threading.Thread(target=self._server.serve_forever, name="tap")

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self._server.socket.getsockname()[1]}"

    def asked(self, method: str) -> list[Message]:
        """Give the parameters of the requests and notifications of a client."""
        return [message["params"] for message in self.from_client if message.get("method") == method]

    def told(self, method: str) -> list[Message]:
        """Give the parameters of the notifications of the server."""
        return [message["params"] for message in self.from_server if message.get("method") == method]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join(10)

    def _connected(self, client: ServerConnection) -> None:
        self.connections += 1
        number = self.connections
        with connect(self._url, compression=None, max_size=None, ping_interval=None) as server:
            back = threading.Thread(target=self._pass_back, args=(number, server, client), name="tap back")
            back.start()
            try:
                for message in client:
                    self.from_client.append(json.loads(message))
                    server.send(message)
            except ConnectionClosed:
                pass
            with suppress(OSError):
                server.socket.shutdown(socket.SHUT_RDWR)
            back.join(10)

    def _pass_back(self, number: int, server: ClientConnection, client: ServerConnection) -> None:
        try:
            for message in server:
                found = json.loads(message)
                if self._cut(number, found):
                    break
                self.from_server.append(found)
                client.send(message)
        except (ConnectionClosed, OSError):
            pass
        client.close_socket()
