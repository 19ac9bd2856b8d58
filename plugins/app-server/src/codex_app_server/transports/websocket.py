"""Transport over WebSockets: one JSON object for each text message."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final

from codex_hookspecs.jsonrpc import MAX_MESSAGE
from codex_listener.http_upgrade import authenticate, find_fault, probe, respond
from codex_listener.limits import Limits

if TYPE_CHECKING:
    from codex_hookspecs.auth import AcceptedClient, ConnectionCheck
    from codex_listener.http_upgrade import Refused, UpgradeRequest
    from codex_listener.websocket import WebsocketPeer

LIMITS: Final = Limits(max_frame=MAX_MESSAGE, max_message=MAX_MESSAGE, max_head=400 * 1024)
PROBES: Final = ("/readyz", "/healthz")
_HIGH_WATER: Final = 256


def decide(request: UpgradeRequest, check: ConnectionCheck | None) -> AcceptedClient | Refused:
    """Return whose request is to be upgraded to a WebSocket, whatever its path, or how it is refused.

    A page in a browser is refused before anything else, then what is no upgrade, then who does not authenticate.

    :param check: authenticates the client, or ``None``.
    """
    if request.header("origin") is not None:
        return respond(403, allow="GET,HEAD" if request.path in PROBES and request.method == "POST" else "")
    if request.path in PROBES:
        return probe(request)
    return find_fault(request) or authenticate(request, check)


class WebsocketTransport:
    """A client that connected over a WebSocket."""

    name = "websocket"
    patient = False

    def __init__(self, peer: WebsocketPeer) -> None:
        self._peer = peer
        self._messages: deque[bytes] = deque()
        self._received = asyncio.Event()
        self._lost = False
        self._paused = False

    def take(self, payload: bytes) -> None:
        """Add a message that was received; reading is paused while many are waiting."""
        self._messages.append(payload)
        self._received.set()
        if len(self._messages) >= _HIGH_WATER and not self._paused:
            self._pause(paused=True)

    def end(self) -> None:
        """Note that the connection is lost."""
        self._lost = True
        self._received.set()

    async def receive(self) -> bytes | None:
        """Return the next message, or ``None`` when the client has disconnected."""
        while not self._messages:
            if self._lost or self._peer.gone:
                return None
            if self._paused:
                self._pause(paused=False)
            self._received.clear()
            await self._received.wait()
        return self._messages.popleft()

    async def send(self, message: bytes) -> None:
        """Send a message, with backpressure."""
        self._peer.queue(message)
        if self._peer.paused:
            await self._peer.room()
        if self._peer.gone:
            raise ConnectionResetError("the connection is lost")

    def drop(self) -> None:
        """Disconnect the client at once."""
        self._peer.drop()
        self.end()

    def close(self) -> None:
        """Say that the server goes away and disconnect the client."""
        self._peer.close()
        self.end()

    def _pause(self, *, paused: bool) -> None:
        self._paused = paused
        self._peer.pause_incoming(paused=paused)
