"""Serve many clients over WebSockets until a signal, then let running turns end."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from codex_app_server.transports.ending import drain, read_drain_seconds
from codex_app_server.transports.stopping import stop_at_signals
from codex_app_server.transports.unix_socket import UnixListener, make_folder
from codex_app_server.transports.websocket import LIMITS, WebsocketTransport, decide
from codex_app_server.wire_connection import WireConnection
from codex_hookspecs.errors import ConfigError
from codex_listener.sockets import EXPOSED, bind, is_loopback
from codex_listener.websocket import Listener

if TYPE_CHECKING:
    import socket

    from codex_app_server.processor import Processor
    from codex_app_server.transports.options import Listening
    from codex_hookspecs.auth import ConnectionCheck
    from codex_listener.websocket import WebsocketPeer

_CLOSE_SECONDS: Final = 5.0
_HURRIED_SECONDS: Final = 2.0
"""How long clients get to take what is queued for them, ordinarily and after the second signal."""
_OPEN_FILES: Final = 16384
"""Files that the process may have open if the system lets it: each loaded thread has two, its own and the model's."""


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

    async def aclose(self, seconds: float) -> None:
        """Disconnect all clients after sending what is queued for them, as far as they take it in some seconds."""
        clients = dict(self._clients)
        for task in clients:
            task.cancel()
        if clients:
            await asyncio.wait(clients, timeout=seconds)
        for transport in clients.values():
            transport.close()

    def _accept(self, peer: WebsocketPeer) -> _Client:
        transport = WebsocketTransport(peer)
        connection = WireConnection(self._processor, transport)
        peer.number = connection.number
        task = asyncio.create_task(connection.serve())
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
    _allow_many_files()
    server = WebsocketServer(processor, check)
    # Who reads the address may send a signal at once.
    with stop_at_signals(drains=True) as stop:
        listener, unix = _bind(listening, authenticated=check is not None)
        try:
            accepting = await server.listener.listen(listener)
            await stop.drain.wait()
            processor.ending = True
            await server.listener.stop(accepting)
        finally:
            listener.close()
            if unix is not None:
                unix.remove()
        await drain(processor.host, stop, seconds)
        await server.aclose(_HURRIED_SECONDS if stop.now.is_set() else _CLOSE_SECONDS)


def _allow_many_files() -> None:
    """Raise the soft limit of open files, which is 1,024 on many systems, as far as the hard one permits."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _bind(listening: Listening, *, authenticated: bool) -> tuple[socket.socket, UnixListener | None]:
    """Listen, and print where.

    :raises ConfigError: when the address or path is not available.
    """
    try:
        if listening.path is not None:
            if listening.is_default_path:
                make_folder(listening.path)
            unix = UnixListener(listening.path)
            print(f"codex app-server (Unix socket)\n  listening on: {listening.path}", file=sys.stderr, flush=True)
            return unix.socket, unix
        assert listening.address is not None
        listener, url = bind(*listening.address)
    except OSError as error:
        reason = f"{error.strerror} (os error {error.errno})"
        raise ConfigError(f"{reason}: cannot listen at {listening.url}") from error
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
            EXPOSED,
        ]
    return "\n".join(lines)
