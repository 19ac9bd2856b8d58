"""Run ``codex app-server``."""

from __future__ import annotations

import asyncio
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Final

from codex_hookspecs.errors import PluginError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from codex_app_server.processor import Processor
    from codex_hookspecs.surface import SurfaceHost

COMMANDS: Final = {
    "proxy": "codex_app_server.transports.proxy:run",
    "generate-json-schema": "codex_app_server.bindings.command:generate_json_schema",
    "generate-ts": "codex_app_server.bindings.command:generate_typescript",
}
"""Functions of sub-commands."""


async def serve(arguments: Sequence[str], host: SurfaceHost) -> int:
    """Run a sub-command, or serve until the client disconnects or a signal ends the process.

    :return: the exit status.
    :raises UsageError: when the command line is not valid.
    :raises ConfigError: when the server can't be started as it says.
    """
    if arguments and arguments[0] in COMMANDS:
        module, _, name = COMMANDS[arguments[0]].partition(":")
        status: int = await getattr(import_module(module), name)(arguments[1:], host)
        return status
    from codex_app_server.transports.options import USAGE, read_listening
    from codex_listener.options import authenticator

    listening = read_listening(arguments, codex_home=host.codex_home, cwd=host.cwd)

    _print_warnings(host)
    check = authenticator(listening.auth, host, usage=USAGE)
    processor = own_processor(host)
    if listening.address is None and listening.path is None:
        await _serve_standard_streams(processor)
    else:
        from codex_app_server.transports.serving import serve_clients

        await serve_clients(processor, listening, check)
    return 0


def _print_warnings(host: SurfaceHost) -> None:
    """Print the warnings about the program to stderr, those of now and later ones."""
    from codex_hookspecs.surface import escape_controls_in_line

    printed: set[str] = set()

    def show(text: str) -> None:
        if text not in printed:
            printed.add(text)
            print(f"warning: {escape_controls_in_line(text)}", file=sys.stderr, flush=True)

    for text in host.startup_warnings():
        show(text)
    host.on_warning(show)


def own_processor(host: SurfaceHost) -> Processor:
    """Return the request processor.

    :raises PluginError: when another plugin provides the app-server, so that there is none.
    """
    from codex_app_server.processor import Processor

    processor = host.app_server()
    if not isinstance(processor, Processor):
        raise PluginError("another plugin provides the app-server, which only it can serve", plugin="app-server")
    return processor


async def _serve_standard_streams(processor: Processor) -> None:
    """Serve the client at standard input and output until its end or a signal."""
    from codex_app_server.transports.stdio import StdioTransport
    from codex_app_server.transports.stopping import stop_at_signals
    from codex_app_server.wire_connection import WireConnection
    from codex_hookspecs.surface import private_streams

    # Output of plugins and their child processes must not mix with the protocol's messages on stdout.
    with private_streams() as kept, stop_at_signals(drains=False) as stop:
        if os.isatty(kept.stdin):
            print("reading JSON-RPC messages from standard input; see --listen", file=sys.stderr, flush=True)
        log = processor.host.logger("app-server")
        transport = StdioTransport(log, source=kept.stdin, target=kept.stdout)
        work = asyncio.create_task(WireConnection(processor, transport).serve())
        signalled = asyncio.create_task(stop.drain.wait())
        await asyncio.wait({work, signalled}, return_when=asyncio.FIRST_COMPLETED)
        signalled.cancel()
        if not work.done():
            from codex_app_server.transports.ending import interrupt_turns

            processor.ending = True
            await interrupt_turns(processor.host)
        work.cancel()
        await asyncio.wait({work})
        if not work.cancelled():
            work.result()
