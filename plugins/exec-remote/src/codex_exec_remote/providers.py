"""Read the configured environments (``CODEX_EXEC_SERVER_URL`` and the tables ``[environments.*]``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from codex_hookspecs.errors import EnvironmentLost, ExecError

if TYPE_CHECKING:
    from codex_exec_remote.environment import RemoteEnvironment
    from codex_exec_remote.websocket_link import Target
    from codex_hookspecs.environments import EnvironmentProvider
    from codex_hookspecs.host import Host

VARIABLE: Final = "CODEX_EXEC_SERVER_URL"
OFF: Final = "none"
SLOW_SECONDS: Final = 1.0
RETRY_SECONDS: Final = 15.0
"""How long no connection is tried to a server that did not respond, so that not every thread waits for the timeout."""
_MEMBERS: Final = ("url", "token", "token_env_var", "default")


class RemoteProvider:
    """Connects to an exec-server when its environment is first used."""

    def __init__(self, name: str, target: Target, host: Host, *, default: bool) -> None:
        self._name = name
        self._target = target
        self._host = host
        self._default = default
        self._failure: str | None = None
        self._retry_at = 0.0

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
        """Always ``True``."""
        return True

    async def open(self) -> RemoteEnvironment:
        """Connect to the environment.

        :raises EnvironmentLost: when it can't be reached, or could not be shortly before.
        """
        import asyncio

        from codex_exec_remote.environment import RemoteEnvironment

        clock = asyncio.get_running_loop().time
        began = clock()
        if self._failure is not None and began < self._retry_at:
            raise EnvironmentLost(self._failure, environment=self._name)
        log = self._host.logger("exec-remote")
        environment = RemoteEnvironment(self._name, self._target, self._host.environ, log)
        try:
            await environment.open()
        except EnvironmentLost as error:
            if clock() - began > SLOW_SECONDS:
                self._failure, self._retry_at = str(error), clock() + RETRY_SECONDS
            raise
        return environment


class UnavailableEnvironment:
    """An environment that is configured but not usable; it is never replaced by another one.

    :param reason: why it is not usable.
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
        """Whether the configuration means another machine."""
        return self._name != OFF

    async def open(self) -> RemoteEnvironment:
        """Fail with the reason.

        :raises ExecError: always.
        """
        raise ExecError(self._reason)


def find_providers(url: str, tables: Any, host: Host) -> list[EnvironmentProvider]:
    """Return a provider for each configured environment.

    :param url: trimmed value of the variable; empty when it is not set.
    :param tables: value of the configuration key ``environments``.
    """
    providers: list[EnvironmentProvider] = []
    if url == OFF:
        providers.append(UnavailableEnvironment(OFF, f"{VARIABLE} is {OFF}", default=True))
    elif url:
        problem = _problem_of_url(url)
        if problem is None:
            from codex_exec_remote.websocket_link import Target

            providers.append(RemoteProvider("remote", Target(url, environ=host.environ), host, default=True))
        else:
            providers.append(UnavailableEnvironment("remote", f"{VARIABLE} {problem}", default=True))
    found = {str(name): table for name, table in tables.items()} if isinstance(tables, Mapping) else {}
    defaults = [name for name, table in found.items() if isinstance(table, dict) and table.get("default") is True]
    if len(defaults) > 1 and not url:
        names = " and ".join(f"environments.{name}" for name in defaults)
        reason = f"{names} have default = true, but only one environment can be the default"
        providers.append(UnavailableEnvironment("default", reason, default=True))
    for name, table in found.items():
        providers.append(_provider_of(name, table, host, overridden=bool(url) or len(defaults) > 1))
    return providers


def _provider_of(name: str, table: Any, host: Host, *, overridden: bool) -> EnvironmentProvider:
    from codex_exec_remote.websocket_link import Target

    default = isinstance(table, dict) and table.get("default") is True and not overridden
    problem = _problem_of_table(table)
    if problem is not None:
        return UnavailableEnvironment(name, f"environments.{name}{problem}", default=default)
    token = table.get("token")
    variable = table.get("token_env_var")
    if variable is not None:
        token = host.environ.get(variable)
        if not token:
            missing = f"environments.{name}.token_env_var names {variable}, which is not set"
            return UnavailableEnvironment(name, missing, default=default)
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
            return f".{key} is not a string"
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
