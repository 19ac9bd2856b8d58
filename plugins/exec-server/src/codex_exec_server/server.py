"""Own everything that a running server has: sessions, connections, the environment that it serves."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from codex_exec_server import blocks, facts, file_methods, http_methods, process_methods, watches
from codex_exec_server.connection import Connection, Method, Outlet
from codex_exec_server.sessions import RETENTION_SECONDS, Sessions
from codex_hookspecs.types.sandbox import Launch, LaunchRequest

if TYPE_CHECKING:
    from codex_exec_server.sandbox import Wanted
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


class ExecServer:
    """Serves an environment to any number of connections.

    :param concurrent: requests of one connection that may wait at the same time.
    :param retention: seconds that ended processes and lost sessions are kept.
    """

    def __init__(
        self, host: Host, environment: Environment, *, concurrent: int, retention: float = RETENTION_SECONDS
    ) -> None:
        self.environment = environment
        self.environ: Mapping[str, str] = host.environ
        self.version = host.version
        self.codex_home = host.codex_home
        self.concurrent = concurrent
        self.sessions = Sessions(environment.exec, retention)
        self.info: dict[str, Any] | None = None
        self.provider_id = f"sha256:{hashlib.sha256(os.uname().nodename.encode()).hexdigest()}"
        self._host = host
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

    def launch(self, argv: tuple[str, ...], cwd: str, env: dict[str, str], wanted: Wanted) -> Launch:
        """Return how to run a command so that a policy holds.

        :raises SandboxUnavailable: when nothing can hold it.
        """
        launcher = self._host.launcher(wanted.policy)
        return launcher.launch(LaunchRequest(argv=argv, cwd=cwd, env=env, policy=wanted.policy, policy_cwd=wanted.cwd))

    async def aclose(self) -> None:
        """Drop all connections and kill all processes."""
        connections = list(self._connections)
        for connection in connections:
            connection.outlet.drop()
        await asyncio.gather(*(connection.aclose() for connection in connections), *self._endings)
        await self.sessions.aclose()
