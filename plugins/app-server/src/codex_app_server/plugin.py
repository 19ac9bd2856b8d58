"""Hook implementations of the app-server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from codex_hookspecs import hookimpl
from codex_hookspecs.surface import AppServer, CliCommand, RpcMethod, SurfaceHost

if TYPE_CHECKING:
    from codex_hookspecs.host import AgentThread, Host
    from codex_hookspecs.tools import Tool


@hookimpl
def app_server(host: SurfaceHost) -> AppServer:
    """Offer the request processor, or the server elsewhere that the user has named."""
    if host.remote is not None:
        from codex_app_server.remote.server import RemoteAppServer

        return RemoteAppServer(host, host.remote)
    from codex_app_server.processor import Processor

    return Processor(host)


@hookimpl
def rpc_methods() -> Sequence[RpcMethod]:
    """Offer the methods of the app-server protocol."""
    from codex_app_server.methods import methods

    return methods()


@hookimpl(trylast=True)
def tools(thread: AgentThread, host: Host) -> Sequence[Tool] | None:
    """Offer the tools of the thread's client; one that has the name of another tool is left out."""
    if not thread.settings.dynamic_tools:
        return None
    from codex_app_server.turns.dynamic_tools import make_tools

    return make_tools(thread.settings.dynamic_tools, host.logger("app-server"))


@hookimpl
def cli_commands() -> Sequence[CliCommand]:
    """Offer ``codex app-server`` and ``codex debug``."""

    async def run(arguments: Sequence[str], host: SurfaceHost) -> int:
        from codex_app_server.command import serve

        return await serve(arguments, host)

    async def debug(arguments: Sequence[str], host: SurfaceHost) -> int:
        from codex_app_server.debugging import send_message

        return await send_message(arguments, host)

    return [
        CliCommand(name="app-server", help="Run the app server", run=run),
        CliCommand(name="debug", help="Show how clients and the app-server talk", run=debug),
    ]
