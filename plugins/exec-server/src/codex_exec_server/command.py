"""Run ``codex exec-server``: listen, print the URL, serve until a signal ends it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from codex_exec_server.options import USAGE, parse
from codex_hookspecs.errors import ConfigError
from codex_hookspecs.surface import escape_controls, private_streams
from codex_listener.options import authenticator
from codex_listener.sockets import bind, is_loopback

if TYPE_CHECKING:
    from codex_exec_server.options import Options
    from codex_hookspecs.auth import ConnectionCheck
    from codex_hookspecs.environments import Environment
    from codex_hookspecs.host import Host
    from codex_hookspecs.surface import PrivateStreams


async def run(arguments: Sequence[str], host: Host) -> int:
    """Run the command and return its exit status.

    :raises UsageError: when the command line is not valid.
    :raises ConfigError: when the server can't be started as it says.
    """
    options = parse(arguments)
    _print_warnings(host)
    check = authenticator(options.auth, host, usage=USAGE)
    if check is not None and options.address is None:
        raise ConfigError("WebSocket auth requires a WebSocket listener, not stdio")
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    # Output of plugins and their child processes must not mix with the protocol's messages on stdout.
    with private_streams() as kept:
        return await _serve(options, host, check, stop, kept)


def _print_warnings(host: Host) -> None:
    """Print the warnings about the program to stderr, those of now and later ones."""
    printed: set[str] = set()

    def show(text: str) -> None:
        if text not in printed:
            printed.add(text)
            print(f"warning: {escape_controls(text)}", file=sys.stderr, flush=True)

    for text in host.startup_warnings():
        show(text)
    host.on_warning(show)


async def _serve(
    options: Options, host: Host, check: ConnectionCheck | None, stop: asyncio.Event, streams: PrivateStreams
) -> int:
    environment = await host.environments.get("local")
    if options.address is None:
        return await _serve_one(host, environment, options.concurrent, stop, streams)
    try:
        listener, url = bind(*options.address)
    except OSError as error:
        where = f"cannot listen at {options.url}"
        print(f"Error: {os.strerror(error.errno or 0)} (os error {error.errno}): {where}", file=sys.stderr)
        return 1
    # The URL is printed already; clients that connect meanwhile wait in the backlog until this is imported.
    os.write(streams.stdout, f"{url}\n".encode())
    if not is_loopback(options.address[0]):
        from codex_exec_server.listening import banner

        print(banner(url, authenticated=check is not None), file=sys.stderr, flush=True)
    import websockets.protocol  # noqa: F401

    from codex_exec_server.listening import serve
    from codex_exec_server.server import ExecServer

    async with ExecServer(host, environment, concurrent=options.concurrent) as server:
        accepting = await serve(server, listener, check)
        try:
            await stop.wait()
        finally:
            accepting.close()
    return 0


async def _serve_one(
    host: Host, environment: Environment, concurrent: int, stop: asyncio.Event, streams: PrivateStreams
) -> int:
    """Serve one client over stdin and stdout."""
    from anyio import CancelScope, create_task_group

    from codex_exec_server.server import ExecServer
    from codex_exec_server.stdio import StdioPeer

    async def end_at(event: asyncio.Event, scope: CancelScope) -> None:
        await event.wait()
        scope.cancel()

    async with ExecServer(host, environment, concurrent=concurrent) as server:
        peer = StdioPeer(server, streams.stdin, streams.stdout)
        async with create_task_group() as waiting:
            for event in (peer.over, stop):
                waiting.start_soon(end_at, event, waiting.cancel_scope)
    return 0
