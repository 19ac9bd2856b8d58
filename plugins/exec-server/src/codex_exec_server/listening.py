"""Accept clients: which requests are upgraded, and what their messages are for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from codex_listener.http_upgrade import Refused, authenticate, find_fault, probe, respond
from codex_listener.limits import Limits
from codex_listener.sockets import EXPOSED
from codex_listener.websocket import Listener, WebsocketPeer

if TYPE_CHECKING:
    import asyncio
    import socket

    from codex_exec_server.connection import Connection
    from codex_exec_server.server import ExecServer
    from codex_hookspecs.auth import AcceptedClient, ConnectionCheck
    from codex_listener.http_upgrade import UpgradeRequest


LIMITS: Final = Limits(max_frame=16 * 1024 * 1024, max_message=64 * 1024 * 1024, max_head=400 * 1024)
"""A message's limit is that of one line over stdio."""


class WebsocketClient:
    """A client of the server over a WebSocket.

    :param peer: its end of the connection.
    """

    def __init__(self, server: ExecServer, peer: WebsocketPeer) -> None:
        self._server = server
        peer.label = f"websocket JSON-RPC message from exec-server websocket {peer.address}"
        self._connection: Connection = server.connect(peer)

    def receive(self, payload: bytes, *, text: bool) -> None:
        """Handle a message, whether text or binary."""
        self._connection.receive(payload)

    def lost(self) -> None:
        """Clean up."""
        self._server.lose(self._connection)


async def serve(server: ExecServer, listener: socket.socket, check: ConnectionCheck | None) -> asyncio.Server:
    """Accept clients on a listening socket."""
    return await Listener(
        lambda request: decide(request, check), lambda peer: WebsocketClient(server, peer), LIMITS, server.logger
    ).listen(listener)


def decide(request: UpgradeRequest, check: ConnectionCheck | None) -> AcceptedClient | Refused:
    """Return whose request is to be upgraded to a WebSocket, or how it is refused.

    :param check: authenticates the client, or ``None``.
    """
    if request.header("origin") is not None:
        return respond(403)
    if request.path == "/readyz":
        return probe(request)
    if request.path != "/":
        return respond(404)
    return find_fault(request) or authenticate(request, check)


def banner(url: str, *, authenticated: bool) -> str:
    """Return the message for a server that other machines can connect to."""
    lines = ["codex exec-server (WebSockets)", f"  listening on: {url}, which other machines may reach"]
    if not authenticated:
        lines.append(EXPOSED)
    return "\n".join(lines)
