"""The environment ``plain``: this machine, behind ports written from the ground up."""

from __future__ import annotations

import os
from collections.abc import Sequence

from codex_hookspecs.environments import Environment, EnvironmentFacts, EnvironmentProvider, hookimpl
from codex_hookspecs.host import Host


class PlainEnvironment:
    """Processes, files and HTTP in one object; the host closes it when the program ends."""

    id = "plain"
    remote = False

    def __init__(self, cwd: str) -> None:
        from codex_exec_plain.files import Files
        from codex_exec_plain.http import Http
        from codex_exec_plain.processes import Backend

        self.exec = Backend()
        self.files = Files()
        self.http = Http()
        shell = os.environ.get("SHELL") or "/bin/sh"
        self._facts = EnvironmentFacts(os="linux", shell=shell, home=os.path.expanduser("~"), cwd=cwd)

    async def facts(self) -> EnvironmentFacts:
        return self._facts

    async def aclose(self) -> None:
        await self.exec.aclose()


class PlainProvider:
    """Opens the environment when a thread first needs it: ``codex exec -c environment=plain``."""

    id = "plain"
    default = False
    remote = False

    def __init__(self, cwd: str) -> None:
        self._cwd = cwd

    async def open(self) -> Environment:
        return PlainEnvironment(self._cwd)


@hookimpl
def environments(host: Host) -> Sequence[EnvironmentProvider]:
    return [PlainProvider(host.cwd)]
