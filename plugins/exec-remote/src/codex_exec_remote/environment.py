"""The environment of another machine, through its exec-server."""

from __future__ import annotations

from collections.abc import Mapping
from logging import Logger
from typing import TYPE_CHECKING

from codex_exec_remote.backend import RemoteExecBackend
from codex_exec_remote.client import Client
from codex_exec_remote.files import RemoteFileSystem
from codex_hookspecs.errors import EnvironmentLost

if TYPE_CHECKING:
    from codex_exec_remote.http import RemoteHttp
    from codex_exec_remote.websocket_link import Target
    from codex_hookspecs.environments import EnvironmentFacts


class RemoteEnvironment:
    """Processes, files, HTTP requests and facts of the machine that an exec-server runs on.

    :param environment_id: name of the environment in configuration and threads.
    :param environ: variables of this program.
    """

    def __init__(self, environment_id: str, target: Target, environ: Mapping[str, str], log: Logger) -> None:
        self._id = environment_id
        self._target = target
        self._log = log
        self._facts: EnvironmentFacts | None = None
        self._exec = RemoteExecBackend(self._connect, environ)
        self._files = RemoteFileSystem(self._any_client, self._resolve)
        self._http: RemoteHttp | None = None

    @property
    def id(self) -> str:
        """Name of the environment."""
        return self._id

    @property
    def remote(self) -> bool:
        """Always ``True``: another machine, whose server enforces sandbox policies itself."""
        return True

    @property
    def exec(self) -> RemoteExecBackend:
        """Backend for processes."""
        return self._exec

    @property
    def files(self) -> RemoteFileSystem:
        """File system."""
        return self._files

    @property
    def http(self) -> RemoteHttp:
        """Client for HTTP requests from that machine."""
        if self._http is None:
            from codex_exec_remote.http import RemoteHttp

            self._http = RemoteHttp(lambda: self._connect(resumable=False))
        return self._http

    async def open(self) -> None:
        """Connect.

        :raises EnvironmentLost: when that fails.
        """
        await self._any_client()

    async def facts(self) -> EnvironmentFacts:
        """Return facts of the machine."""
        if self._facts is None:
            from codex_exec_remote.facts import find_facts

            self._facts = await find_facts(await self._any_client(), self._exec)
        return self._facts

    async def aclose(self) -> None:
        """Kill all processes and close all connections."""
        if self._http is not None:
            await self._http.aclose()
        await self._exec.aclose()

    async def _resolve(self, path: str) -> str:
        from codex_exec_remote.facts import resolve

        return await resolve(path, self._exec)

    async def _any_client(self) -> Client:
        return await self._exec.client(shared=True)

    async def _connect(self, *, resumable: bool = True) -> Client:
        client = Client(self._target, self._log, resumable=resumable)
        try:
            await client.open()
        except EnvironmentLost as error:
            raise EnvironmentLost(str(error), environment=self._id) from error
        return client
