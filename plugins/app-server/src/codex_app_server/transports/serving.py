"""Serve many clients over WebSockets until a signal, then let running turns end."""

from __future__ import annotations

import asyncio
import math
import sys
from typing import TYPE_CHECKING, Any, Final

from codex_app_server.transports.stopping import stop_at_signals
from codex_app_server.transports.unix_socket import UnixListener, make_folder
from codex_app_server.transports.websocket import LIMITS, WebsocketTransport, decide
from codex_app_server.wire_connection import WireConnection
from codex_hookspecs.errors import ConfigError
from codex_listener.sockets import bind, is_loopback
from codex_listener.websocket import Listener

if TYPE_CHECKING:
    import socket

    from codex_app_server.processor import Processor
    from codex_app_server.transports.options import Listening
    from codex_app_server.transports.stopping import Stop
    from codex_hookspecs.auth import ConnectionCheck
    from codex_hookspecs.host import Host
    from codex_listener.websocket import WebsocketPeer

DRAIN_SECONDS: Final = 30.0
"""How long running turns may go on after the first signal."""
_CLOSE_SECONDS: Final = 5.0


class _Client:
    """A client whose connection was upgraded."""

    def __init__(self, transport: WebsocketTransport) -> None:
        self._transport = transport

    def receive(self, payload: bytes, *, text: bool) -> None:
        """Take a message; binary ones are ignored, as in Codex."""
        if text:
            self._transport.take(payload)

    def lost(self) -> None:
        """Note that the connection is lost."""
        self._transport.end()


class WebsocketServer:
    """The clients of a processor over WebSockets.

    :param check: authenticates clients, or ``None``.
    """

    def __init__(self, processor: Processor, check: ConnectionCheck | None) -> None:
        self._processor = processor
        self._clients: dict[asyncio.Task[None], WebsocketTransport] = {}
        self._log = processor.host.logger("app-server")
        self.listener = Listener(lambda request: decide(request, check), self._accept, LIMITS, self._log)

    async def aclose(self) -> None:
        """Disconnect all clients after sending what is queued for them, within a few seconds."""
        clients = dict(self._clients)
        for task in clients:
            task.cancel()
        if clients:
            await asyncio.wait(clients, timeout=_CLOSE_SECONDS)
        for transport in clients.values():
            transport.close()

    def _accept(self, peer: WebsocketPeer) -> _Client:
        transport = WebsocketTransport(peer)
        task = asyncio.create_task(WireConnection(self._processor, transport).serve())
        self._clients[task] = transport
        task.add_done_callback(self._end)
        return _Client(transport)

    def _end(self, task: asyncio.Task[None]) -> None:
        transport = self._clients.pop(task)
        if not task.cancelled():
            transport.drop()
            error = task.exception()
            if error is not None:
                self._log.error("a connection failed: %r", error, exc_info=error)


async def serve_clients(processor: Processor, listening: Listening, check: ConnectionCheck | None) -> None:
    """Listen and serve until a signal.

    :raises ConfigError: when the address or path is not available.
    """
    seconds = read_drain_seconds(processor.host)
    server = WebsocketServer(processor, check)
    # Who reads the address may send a signal at once.
    with stop_at_signals(drains=True) as stop:
        listener, unix = _bind(listening, authenticated=check is not None)
        try:
            accepting = await server.listener.listen(listener)
            await stop.drain.wait()
            await server.listener.stop(accepting)
        finally:
            listener.close()
            if unix is not None:
                unix.remove()
        await _drain(processor.host, stop, seconds)
        await _until(stop.now, server.aclose())


def read_drain_seconds(host: Host) -> float:
    """Return the setting ``drain_seconds``.

    :raises ConfigError: when it is not a number of seconds.
    """
    value = host.config.get("plugins.app-server.drain_seconds", DRAIN_SECONDS)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise ConfigError(f"plugins.app-server.drain_seconds must be a number of seconds, not {value!r}")
    return float(value)


def _bind(listening: Listening, *, authenticated: bool) -> tuple[socket.socket, UnixListener | None]:
    try:
        if listening.path is not None:
            if listening.is_default_path:
                make_folder(listening.path)
            unix = UnixListener(listening.path)
            return unix.socket, unix
        assert listening.address is not None
        listener, url = bind(*listening.address)
    except OSError as error:
        raise ConfigError(f"{error.strerror} (os error {error.errno})") from error
    local = is_loopback(listening.address[0])
    print(banner(url, local=local, authenticated=authenticated), file=sys.stderr, flush=True)
    return listener, None


def banner(url: str, *, local: bool, authenticated: bool) -> str:
    """Return what is printed when the server listens at an address (the lines of Codex 0.118)."""
    http = url.replace("ws://", "http://", 1)
    lines = ["codex app-server (WebSockets)", f"  listening on: {url}", f"  readyz: {http}/readyz"]
    lines.append(f"  healthz: {http}/healthz")
    if local:
        lines.append("  note: binds localhost only (use SSH port-forwarding for remote access)")
    elif not authenticated:
        lines += [
            "  note: websocket auth is opt-in in this build; configure `--ws-auth ...` before real remote use",
            "warning: whoever can connect to this port can run commands and change files here, as this user",
        ]
    return "\n".join(lines)


async def _drain(host: Host, stop: Stop, seconds: float) -> None:
    """Wait for the running turns, but not for ever."""
    running = [thread for thread in host.threads.loaded() if thread.active_turn_id is not None]
    if running and seconds:
        host.logger("app-server").info("waiting up to %s s for %s running turns", seconds, len(running))
        ends = {asyncio.create_task(thread.wait_idle()) for thread in running}
        await _until(stop.now, asyncio.wait(ends, timeout=seconds))
        for end in ends:
            end.cancel()
        await asyncio.wait(ends)


async def _until(event: asyncio.Event, work: Any) -> None:
    """Await some work, given up at an event; a timeout of it is no error."""
    task, waiter = asyncio.ensure_future(work), asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait({task, waiter}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in (task, waiter):
            each.cancel()
        await asyncio.gather(task, waiter, return_exceptions=True)
