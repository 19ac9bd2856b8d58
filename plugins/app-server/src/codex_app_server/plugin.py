"""Hook implementations of the app-server."""

from __future__ import annotations

from collections.abc import Sequence

from codex_hookspecs import hookimpl
from codex_hookspecs.surface import AppServer, CliCommand, RpcMethod, SurfaceHost


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


@hookimpl
def cli_commands() -> Sequence[CliCommand]:
    """Offer ``codex app-server``."""

    async def run(arguments: Sequence[str], host: SurfaceHost) -> int:
        from codex_app_server.command import serve

        return await serve(arguments, host)

    return [CliCommand(name="app-server", help="Run the app server", run=run)]
