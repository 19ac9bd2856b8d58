"""An app-server elsewhere, in the place of the one in this program."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from codex_app_server.remote.client import RemoteClient
from codex_app_server.remote.decoding import Decoder
from codex_app_server.remote.link import open_link, shown_address

if TYPE_CHECKING:
    from codex_hookspecs.surface import RemoteAddress, SurfaceHost


class RemoteAppServer:
    """Connects clients of this program to a server elsewhere, each with a connection of its own."""

    def __init__(self, host: SurfaceHost, address: RemoteAddress) -> None:
        self._host = host
        self._address = address
        self._clients: list[RemoteClient] = []

    async def connect(
        self, *, client_name: str, client_version: str, session_source: str, experimental: bool = True
    ) -> RemoteClient:
        """Open a connection; see :class:`~codex_hookspecs.ports.surface.AppServer`.

        :raises RpcError: when the server can't be reached or refuses.
        """
        link = await open_link(self._address, self._host.codex_home)
        shown = shown_address(self._address, self._host.codex_home)
        client = RemoteClient(link, Decoder(self._host.rpc_methods()), shown, client_name)
        self._clients.append(client)
        await client.initialize(client_version, experimental=experimental)
        return client

    async def aclose(self) -> None:
        """Close all connections; may be called twice."""
        await asyncio.gather(*(client.aclose() for client in self._clients))
