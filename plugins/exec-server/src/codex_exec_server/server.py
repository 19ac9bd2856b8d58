"""The running server: owns the connections, the sessions and the environment that it serves."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import TYPE_CHECKING, Self

from codex_exec_server import block_methods, environment_methods, file_methods, http_methods, process_methods, watches
from codex_exec_server.connection import Connection, Method, Peer
from codex_exec_server.served_environment import ServedEnvironment
from codex_exec_server.sessions import RETENTION_SECONDS

if TYPE_CHECKING:
    from codex_hookspecs.environments import Environment
    from codex_hookspecs.host import Host

METHODS: dict[str, Method] = {
    **process_methods.METHODS,
    **environment_methods.METHODS,
    **file_methods.METHODS,
    **block_methods.METHODS,
    **watches.METHODS,
    **http_methods.METHODS,
}


class ExecServer(ServedEnvironment):
    """Serves an environment to any number of connections.

    An async context manager: leaving it drops all connections and kills all processes.
    """

    def __init__(
        self, host: Host, environment: Environment, *, concurrent: int, retention: float = RETENTION_SECONDS
    ) -> None:
        super().__init__(host, environment, concurrent=concurrent, retention=retention)
        self._connections: set[Connection] = set()

    async def __aenter__(self) -> Self:
        await self._closing_tasks.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            await self.aclose()
        finally:
            await self._closing_tasks.__aexit__(kind, error, traceback)

    def connect(self, peer: Peer) -> Connection:
        """Create a connection for a client."""
        connection = Connection(self, peer, METHODS)
        self._connections.add(connection)
        return connection

    def lose(self, connection: Connection) -> None:
        """Clean up after a lost connection."""
        if connection in self._connections:
            self._connections.discard(connection)
            self.close_later(connection)

    async def aclose(self) -> None:
        """Drop all connections and kill all processes."""
        connections, self._connections = list(self._connections), set()
        for connection in connections:
            connection.peer.drop()
        await asyncio.gather(*(connection.aclose() for connection in connections))
        await self.sessions.aclose()
