"""Run ``codex app-server``."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import TYPE_CHECKING, Final

from codex_app_server.processor import Processor
from codex_app_server.stdio import StdioTransport
from codex_app_server.wire_connection import WireConnection
from codex_hookspecs.errors import PluginError
from codex_hookspecs.surface import escape_controls, private_streams

if TYPE_CHECKING:
    from collections.abc import Sequence

    from codex_hookspecs.surface import SurfaceHost

STDIO: Final = "stdio://"
USAGE: Final = "Usage: codex app-server [--listen <URL>]"

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


async def serve(arguments: Sequence[str], host: SurfaceHost) -> int:
    """Serve until the client disconnects or a signal ends the process.

    :return: the exit status.
    """
    problem = _usage_error(arguments)
    if problem is not None:
        print(f"error: {escape_controls(problem)}\n\n{USAGE}\n\nFor more information, try '--help'.", file=sys.stderr)
        return 2
    processor = host.app_server()
    if not isinstance(processor, Processor):
        raise PluginError("another plugin provides the app-server; it must serve stdio itself", plugin="app-server")
    # Output of plugins and their child processes must not mix with the protocol's messages on stdout.
    with private_streams() as kept:
        transport = StdioTransport(host.logger("app-server"), source=kept.stdin, target=kept.stdout)
        await _serve_until_signal(WireConnection(processor, transport))
    return 0


def _usage_error(arguments: Sequence[str]) -> str | None:
    """Return the error in the command line, if there is one."""
    rest = iter(arguments)
    for argument in rest:
        name, equals, value = argument.partition("=")
        if name == "--listen":
            url = value if equals else next(rest, None)
            if url is None:
                return "a value is required for '--listen <URL>' but none was supplied"
            if url != STDIO:
                return f"invalid value '{url}' for '--listen <URL>': unsupported --listen URL, expected `{STDIO}`"
        else:
            return f"unexpected argument '{argument}' found"
    return None


async def _serve_until_signal(connection: WireConnection) -> None:
    """Serve a connection until it ends or a signal cancels it."""
    loop = asyncio.get_running_loop()
    work = asyncio.create_task(connection.serve())
    for number in _SIGNALS:
        loop.add_signal_handler(number, work.cancel)
    try:
        await asyncio.wait({work})
        if not work.cancelled():
            work.result()
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
