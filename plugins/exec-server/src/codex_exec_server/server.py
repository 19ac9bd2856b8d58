"""Own everything that a running server has: sessions, connections, the environment that it serves."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import TYPE_CHECKING, Self

from codex_exec_server import blocks, facts, file_methods, http_methods, process_methods, watches
from codex_exec_server.connection import Connection, Method, Outlet
from codex_exec_server.machine import ServedMachine
from codex_exec_server.sessions import RETENTION_SECONDS

if TYPE_CHECKING:
    from codex_hookspecs.environments import Environment
    from codex_hookspecs.host import Host

METHODS: dict[str, Method] = {
    **process_methods.METHODS,
    **facts.METHODS,
    **file_methods.METHODS,
    **blocks.METHODS,
    **watches.METHODS,
    **http_methods.METHODS,
}


class ExecServer(ServedMachine):
    """Serves an environment to any number of connections; enter it, and all that it began is over when it is left."""

    def __init__(
        self, host: Host, environment: Environment, *, concurrent: int, retention: float = RETENTION_SECONDS
    ) -> None:
        super().__init__(host, environment, concurrent=concurrent, retention=retention)
        self._connections: set[Connection] = set()

    async def __aenter__(self) -> Self:
        await self._endings.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            await self.aclose()
        finally:
            await self._endings.__aexit__(kind, error, traceback)

    def connect(self, outlet: Outlet) -> Connection:
        """Return a new connection."""
        connection = Connection(self, outlet, METHODS)
        self._connections.add(connection)
        return connection

    def lose(self, connection: Connection) -> None:
        """Clean up after a connection that is gone."""
        if connection in self._connections:
            self._connections.discard(connection)
            self.end(connection)

    async def aclose(self) -> None:
        """Drop all connections and kill all processes."""
        connections, self._connections = list(self._connections), set()
        for connection in connections:
            connection.outlet.drop()
        await asyncio.gather(*(connection.aclose() for connection in connections))
        await self.sessions.aclose()
