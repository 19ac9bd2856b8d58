"""The environment ``local``: this machine."""

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

    :param environ: environment variables for facts, proxies and certificate authorities.
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
        """Always ``False``."""
        return False

    @property
    def exec(self) -> LocalExecBackend:
        """Starts processes."""
        if self._exec is None:
            # Imported late, since a turn that only reads files does not need it.
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
            # Imported late, since few turns make requests and httpx takes long to import.
            from codex_exec_local.http import LocalHttp

            self._http = LocalHttp(self._environ)
        return self._http

    async def facts(self) -> EnvironmentFacts:
        """Return the facts of this machine."""
        if self._facts is None:
            from codex_exec_local.facts import find_facts

            self._facts = find_facts(self._environ)
        return self._facts

    async def aclose(self) -> None:
        """Kill all processes and abort all requests."""
        if self._exec is not None:
            await self._exec.aclose()
        if self._http is not None:
            await self._http.aclose()
        self._files.close()


class LocalProvider:
    """Provides this machine as the environment ``local``.

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
        """Always ``True``: threads use this machine unless they name another environment."""
        return True

    @property
    def remote(self) -> bool:
        """Always ``False``."""
        return False

    async def open(self) -> LocalEnvironment:
        """Return the environment."""
        return LocalEnvironment(self._environ)
