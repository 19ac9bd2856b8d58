"""Own everything that a running server has: sessions, connections, the environment that it serves."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from codex_exec_server import blocks, facts, file_methods, http_methods, process_methods, watches
from codex_exec_server.connection import Connection, Method, Outlet
from codex_exec_server.machine import ServedMachine
from codex_exec_server.sessions import RETENTION_SECONDS

if TYPE_CHECKING:
    from codex_hookspecs.ports.environment import Environment
    from codex_hookspecs.ports.host import Host

METHODS: dict[str, Method] = {
    **process_methods.METHODS,
    **facts.METHODS,
    **file_methods.METHODS,
    **blocks.METHODS,
    **watches.METHODS,
    **http_methods.METHODS,
}


class ExecServer(ServedMachine):
    """Serves an environment to any number of connections."""

    def __init__(
        self, host: Host, environment: Environment, *, concurrent: int, retention: float = RETENTION_SECONDS
    ) -> None:
        super().__init__(host, environment, concurrent=concurrent, retention=retention)
        self._connections: set[Connection] = set()
        self._endings: set[asyncio.Task[None]] = set()

    def connect(self, outlet: Outlet) -> Connection:
        """Return a new connection."""
        connection = Connection(self, outlet, METHODS)
        self._connections.add(connection)
        return connection

    def lose(self, connection: Connection) -> None:
        """Clean up after a connection that is gone."""
        self._connections.discard(connection)
        task = asyncio.get_running_loop().create_task(connection.aclose(), name="end connection")
        self._endings.add(task)
        task.add_done_callback(self._endings.discard)

    async def aclose(self) -> None:
        """Drop all connections and kill all processes."""
        connections = list(self._connections)
        for connection in connections:
            connection.outlet.drop()
        await asyncio.gather(*(connection.aclose() for connection in connections), *self._endings)
        await self.sessions.aclose()
