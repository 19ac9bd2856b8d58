"""The environment ``variables``: this machine, with variables of the configuration in every process."""

from collections.abc import Mapping, Sequence
from weakref import WeakSet

import attrs

from codex_hookspecs.environments import (
    Environment,
    EnvironmentFacts,
    EnvironmentProvider,
    ExecParams,
    ExecProcess,
    hookimpl,
)
from codex_hookspecs.host import Host


class Variables:
    """Both the environment and its ``exec``; files and HTTP are those of the machine within."""

    id = "variables"
    remote = False

    def __init__(self, inner: Environment, variables: Mapping[str, str]) -> None:
        self._inner = inner
        self._variables = variables
        self._started = WeakSet[ExecProcess]()
        self.exec = self
        self.files = inner.files
        self.http = inner.http

    async def start(self, params: ExecParams) -> ExecProcess:
        process = await self._inner.exec.start(attrs.evolve(params, env={**params.env, **self._variables}))
        self._started.add(process)
        return process

    async def facts(self) -> EnvironmentFacts:
        return await self._inner.facts()

    async def aclose(self) -> None:
        """End what was started here; the machine within is shared, and the host closes it."""
        for process in list(self._started):
            await process.terminate()


class VariablesProvider:
    id = "variables"
    default = False
    remote = False

    def __init__(self, host: Host) -> None:
        self._host = host

    async def open(self) -> Environment:
        variables = self._host.config.get("plugins.exec-variables.set", {})
        return Variables(await self._host.environments.get("local"), variables)


@hookimpl
def environments(host: Host) -> Sequence[EnvironmentProvider]:
    return [VariablesProvider(host)]
