"""Open environments on first use, share them between threads, and close them at shutdown."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from codex_hookspecs.errors import CodexError, ConfigError, ExecError
from codex_host.plugins.signatures import InvalidResult
from codex_host.plugins.tasks import Overrun, run_contained, run_task, time_limit_paused
from codex_host.shutdown import CLOSE_LIMIT, close_all

if TYPE_CHECKING:
    from codex_hookspecs.ports.environment import Environment, EnvironmentManager, EnvironmentProvider
    from codex_hookspecs.ports.host import Host
    from codex_hookspecs.ports.threads import AgentThread
    from codex_host.plugins.failures import Failures
    from codex_host.plugins.hooks import Hooks

LOCAL = "local"
"""Name of the local environment."""
OPEN_LIMIT = 30.0
"""Time limit in seconds for opening an environment."""
_MEMBERS = ("id", "remote", "exec", "files", "facts", "aclose")
"""Members that every environment needs."""


class HostEnvironments:
    """All environments of the program.

    :param hooks: hooks that plugins implement.
    :param failures: records and describes failures of plugins.
    """

    def __init__(self, host: Host, *, hooks: Hooks, failures: Failures) -> None:
        self._host = host
        self.hooks = hooks
        self._failures = failures
        self._providers: dict[str, EnvironmentProvider] | None = None
        self._default: str | None = None
        self._opened: dict[str, Environment] = {}
        self._opening: dict[str, asyncio.Task[None]] = {}
        self._owners: dict[str, str] = {}

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
        # A slow environment delays only its own threads; they share one attempt to open it.
        opening = self._opening.get(name)
        if opening is None or opening.done():
            opening = self._opening[name] = asyncio.create_task(self._open(name, providers[name]), name=f"open {name}")
            opening.add_done_callback(_note)
        with time_limit_paused():
            await asyncio.wait((opening,))
        if opening.cancelled():
            raise ExecError(f"environment {name!r} can't be opened: the program ends")
        problem = opening.exception()
        if problem is not None:
            raise problem
        return self._opened[name]

    async def _open(self, name: str, provider: EnvironmentProvider) -> None:
        try:
            opened = await run_task(provider.open, limit=OPEN_LIMIT)
            run_contained(_require_environment, opened)
            self._opened[name] = opened
        except CodexError:
            raise
        except OSError as error:
            raise ExecError(f"environment {name!r} can't be opened: {error}") from error
        except Overrun as error:
            raise ExecError(f"environment {name!r} can't be opened: no answer within {OPEN_LIMIT:g} s") from error
        except Exception as error:
            message = self._failures.report(f"environment {name!r}", self._owners[name], error, provider.open)
            raise ExecError(message) from error

    def name_of(self, environment_id: str | None = None) -> str | None:
        """Return the name of the environment with an id, or of the default environment.

        :raises ConfigError: when there is no environment of that name.
        """
        providers = self._known()
        if environment_id is not None and environment_id not in providers:
            known = ", ".join(sorted(providers)) or "none"
            raise ConfigError(f"there is no environment {environment_id!r}; there are: {known}")
        return environment_id or self._default

    def is_remote(self, environment_id: str | None = None) -> bool:
        """Return whether an environment is remote, without opening it."""
        providers = self._known()
        return getattr(providers.get(environment_id or self._default or ""), "remote", False)

    async def of(self, thread: AgentThread) -> Environment:
        """Return the environment of a thread."""
        return await self.get(thread.config.get("environment"))

    async def aclose(self) -> None:
        """Close all environments."""
        for opening in self._opening.values():
            opening.cancel()
        if self._opening:
            await asyncio.wait(self._opening.values(), timeout=CLOSE_LIMIT)
        closers = [environment.aclose for environment in self._opened.values()]
        self._opened.clear()
        await close_all(self._host, "environments", closers)

    def _known(self) -> dict[str, EnvironmentProvider]:
        if self._providers is None:
            offered = self.hooks.environments()
            providers = self._providers = offered
            self._owners = offered.owners
            ranked = sorted(providers.values(), key=lambda each: (not each.default, each.id == "local", each.id))
            self._default = ranked[0].id if ranked else None
        return self._providers


def check_directory(path: str, environments: EnvironmentManager, name: str | None) -> None:
    """Check that a directory can be worked in; those of remote environments are checked only when they are used.

    :param name: of the environment; ``None`` for the default one.
    :raises ConfigError: when it is missing, something else, or can't be entered.
    """
    if not os.path.isdir(path):
        fault = "does not exist or is not a directory"
    elif not os.access(path, os.X_OK):
        fault = "can't be entered: permission denied"
    else:
        return
    if not environments.is_remote(name):
        raise ConfigError(f"working directory {path} {fault}")


def _require_environment(opened: object) -> None:
    """Reject what is no environment.

    :raises InvalidResult: names what it is, and what it lacks.
    """
    if opened is None:
        raise InvalidResult("opened as None, not as an Environment")
    if isinstance(opened, type):
        raise InvalidResult(f"opened as the class {opened.__name__}, not as an Environment")
    # A property may be costly to ask for, e.g. one that imports a library.
    missing = [name for name in _MEMBERS if not (hasattr(type(opened), name) or hasattr(opened, name))]
    if missing:
        raise InvalidResult(f"opened as {type(opened).__name__} without {', '.join(missing)}, not as an Environment")


def _note(opening: asyncio.Task[None]) -> None:
    """Retrieve the exception of a task that may have no waiter left."""
    if not opening.cancelled():
        opening.exception()
