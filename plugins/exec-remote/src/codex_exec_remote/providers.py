"""Read which exec-servers there are (``CODEX_EXEC_SERVER_URL`` and the tables ``[environments.*]``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from codex_hookspecs.errors import EnvironmentLost, ExecError

if TYPE_CHECKING:
    from codex_exec_remote.environment import RemoteEnvironment
    from codex_exec_remote.link import Target
    from codex_hookspecs.environments import EnvironmentProvider
    from codex_hookspecs.host import Host

VARIABLE: Final = "CODEX_EXEC_SERVER_URL"
OFF: Final = "none"
SLOW_SECONDS: Final = 1.0
PATIENCE_SECONDS: Final = 15.0
"""For so long a server that did not answer is not asked again: each who wants its machine would wait for it."""
_MEMBERS: Final = ("url", "token", "token_env_var", "default")


class RemoteProvider:
    """Connects to one exec-server when its machine is wanted."""

    def __init__(self, name: str, target: Target, host: Host, *, default: bool) -> None:
        self._name = name
        self._target = target
        self._host = host
        self._default = default
        self._silent: str | None = None
        self._silent_until = 0.0

    @property
    def id(self) -> str:
        """Name that configuration and threads use."""
        return self._name

    @property
    def default(self) -> bool:
        """Whether threads that name no environment get this one."""
        return self._default

    @property
    def remote(self) -> bool:
        """It is another machine."""
        return True

    async def open(self) -> RemoteEnvironment:
        """Return the machine, connected.

        :raises EnvironmentLost: when it can't be reached, or could not be a moment ago.
        """
        import asyncio

        from codex_exec_remote.environment import RemoteEnvironment

        clock = asyncio.get_running_loop().time
        began = clock()
        if self._silent is not None and began < self._silent_until:
            raise EnvironmentLost(self._silent, environment=self._name)
        log = self._host.logger("exec-remote")
        environment = RemoteEnvironment(self._name, self._target, self._host.environ, log)
        try:
            await environment.open()
        except EnvironmentLost as error:
            if clock() - began > SLOW_SECONDS:
                self._silent, self._silent_until = str(error), clock() + PATIENCE_SECONDS
            raise
        return environment


class NoEnvironment:
    """Stands where an environment was wanted that can't be had: nothing else is taken in its place.

    :param reason: why it can't.
    """

    def __init__(self, name: str, reason: str, *, default: bool) -> None:
        self._name = name
        self._reason = reason
        self._default = default

    @property
    def id(self) -> str:
        """Name that configuration and threads use."""
        return self._name

    @property
    def default(self) -> bool:
        """Whether threads that name no environment get none."""
        return self._default

    @property
    def remote(self) -> bool:
        """Whether another machine was meant."""
        return self._name != OFF

    async def open(self) -> RemoteEnvironment:
        """Say why there is no environment.

        :raises ExecError: always.
        """
        raise ExecError(self._reason)


def find_providers(url: str, tables: Any, host: Host) -> list[EnvironmentProvider]:
    """Return a provider for each machine that is configured.

    :param url: value of the variable, trimmed; empty when there is none.
    :param tables: value of the configuration key ``environments``.
    """
    providers: list[EnvironmentProvider] = []
    if url == OFF:
        providers.append(NoEnvironment(OFF, f"{VARIABLE} is {OFF}", default=True))
    elif url:
        problem = _problem_of_url(url)
        if problem is None:
            from codex_exec_remote.link import Target

            providers.append(RemoteProvider("remote", Target(url, environ=host.environ), host, default=True))
        else:
            providers.append(NoEnvironment("remote", f"{VARIABLE} {problem}", default=True))
    found = {str(name): table for name, table in tables.items()} if isinstance(tables, Mapping) else {}
    wanted = [name for name, table in found.items() if isinstance(table, dict) and table.get("default") is True]
    if len(wanted) > 1 and not url:
        reason = f"{' and '.join(f'environments.{name}' for name in wanted)} say default = true, but only one can be it"
        providers.append(NoEnvironment("default", reason, default=True))
    for name, table in found.items():
        providers.append(_configured(name, table, host, outranked=bool(url) or len(wanted) > 1))
    return providers


def _configured(name: str, table: Any, host: Host, *, outranked: bool) -> EnvironmentProvider:
    from codex_exec_remote.link import Target

    default = isinstance(table, dict) and table.get("default") is True and not outranked
    problem = _problem_of_table(table)
    if problem is not None:
        return NoEnvironment(name, f"environments.{name}{problem}", default=default)
    token = table.get("token")
    variable = table.get("token_env_var")
    if variable is not None:
        token = host.environ.get(variable)
        if not token:
            missing = f"environments.{name}.token_env_var names {variable}, which is not set"
            return NoEnvironment(name, missing, default=default)
    return RemoteProvider(name, Target(table["url"].strip(), token, host.environ), host, default=default)


def _problem_of_table(table: Any) -> str | None:
    if not isinstance(table, dict):
        return f" is {table!r}, expected a table with url"
    for key in table:
        if key not in _MEMBERS:
            return f".{key} is not known; allowed are {', '.join(_MEMBERS)}"
    if not isinstance(table.get("url"), str):
        return ".url is missing; expected the address of an exec-server, ws://HOST:PORT"
    for key in ("token", "token_env_var"):
        if not isinstance(table.get(key, ""), str):
            return f".{key} is no text"
    if not isinstance(table.get("default", False), bool):
        return f".default is {table['default']!r}, expected true or false"
    problem = _problem_of_url(table["url"].strip())
    return f".url {problem}" if problem is not None else None


def _problem_of_url(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("ws", "wss") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fits = False
    if fits and not parts.fragment:
        return None
    return f"is {url!r}; expected the address of an exec-server, ws://HOST:PORT or wss://HOST:PORT"
