"""Open environments on first use, share them, and close them with the program."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from codex_hookspecs.errors import ExecError
from codex_host.closing import close_all

if TYPE_CHECKING:
    from codex_hookspecs.ports.environment import Environment, EnvironmentProvider
    from codex_hookspecs.ports.threads import AgentThread
    from codex_host.roles import Program

OPEN_LIMIT = 30.0
"""Seconds that opening an environment may take."""


class HostEnvironments:
    """All environments of the program."""

    def __init__(self, host: Program) -> None:
        self._host = host
        self._providers: dict[str, EnvironmentProvider] | None = None
        self._default: str | None = None
        self._opened: dict[str, Environment] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def get(self, environment_id: str | None = None) -> Environment:
        """Return an environment, opened; see :class:`~codex_hookspecs.ports.environment.EnvironmentManager`."""
        providers = self._known()
        name = environment_id or self._default
        if name is None:
            raise ExecError("no plugin offers an environment")
        found = self._opened.get(name)
        if found is not None:
            return found
        if name not in providers:
            raise ExecError(f"there is no environment {name!r}; there are: {', '.join(sorted(providers)) or 'none'}")
        # One that takes long to open keeps only its own threads waiting.
        async with self._locks.setdefault(name, asyncio.Lock()):
            if name not in self._opened:
                try:
                    async with asyncio.timeout(OPEN_LIMIT):
                        self._opened[name] = await providers[name].open()
                except (OSError, TimeoutError) as error:
                    what = str(error) or "no answer in time"
                    raise ExecError(f"environment {name!r} can't be opened: {what}") from error
        return self._opened[name]

    def is_elsewhere(self, environment_id: str | None = None) -> bool:
        """Tell whether an environment is another machine, without opening it."""
        providers = self._known()
        return getattr(providers.get(environment_id or self._default or ""), "remote", False)

    async def of(self, thread: AgentThread) -> Environment:
        """Return the environment a thread works on."""
        return await self.get(thread.config.get("environment"))

    async def aclose(self) -> None:
        """Close all environments."""
        closers = [environment.aclose for environment in self._opened.values()]
        self._opened.clear()
        await close_all(self._host, "environments", closers)

    def _known(self) -> dict[str, EnvironmentProvider]:
        if self._providers is None:
            providers = self._providers = self._host.dispatch.offers("environments", key="id")
            ranked = sorted(providers.values(), key=lambda each: (not each.default, each.id == "local", each.id))
            self._default = ranked[0].id if ranked else None
        return self._providers
