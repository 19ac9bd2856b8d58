"""This machine as an environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from codex_exec_local.files import LocalFileSystem
from codex_hookspecs.environments import EnvironmentFacts

if TYPE_CHECKING:
    from codex_exec_local.backend import LocalExecBackend
    from codex_exec_local.http import LocalHttp


class LocalEnvironment:
    """Processes, files, HTTP and facts of this machine.

    :param environ: environment variables that the facts are read from, proxies and authorities among them.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._facts: EnvironmentFacts | None = None
        self._exec: LocalExecBackend | None = None
        self._files = LocalFileSystem()
        self._http: LocalHttp | None = None

    @property
    def id(self) -> str:
        """Name of the environment."""
        return "local"

    @property
    def remote(self) -> bool:
        """This machine is not another one."""
        return False

    @property
    def exec(self) -> LocalExecBackend:
        """Starts processes."""
        if self._exec is None:
            # A turn that only reads files needs none of it.
            from codex_exec_local.backend import LocalExecBackend

            self._exec = LocalExecBackend()
        return self._exec

    @property
    def files(self) -> LocalFileSystem:
        """Files of this machine."""
        return self._files

    @property
    def http(self) -> LocalHttp:
        """Makes HTTP requests."""
        if self._http is None:
            # Few ever make one, and the library takes longer to load than all the rest.
            from codex_exec_local.http import LocalHttp

            self._http = LocalHttp(self._environ)
        return self._http

    async def facts(self) -> EnvironmentFacts:
        """Return what is known of this machine."""
        if self._facts is None:
            from codex_exec_local.facts import find_facts

            self._facts = find_facts(self._environ)
        return self._facts

    async def aclose(self) -> None:
        """Kill all processes and end all requests."""
        if self._exec is not None:
            await self._exec.aclose()
        if self._http is not None:
            await self._http.aclose()
        self._files.close()


class LocalProvider:
    """Offers this machine under the name ``local``.

    :param environ: environment variables of the program.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    @property
    def id(self) -> str:
        """Name of the environment."""
        return "local"

    @property
    def default(self) -> bool:
        """Threads get this machine unless they name another one."""
        return True

    @property
    def remote(self) -> bool:
        """This machine is not another one."""
        return False

    async def open(self) -> LocalEnvironment:
        """Return this machine."""
        return LocalEnvironment(self._environ)
