"""Build the running program: configuration, plugins, threads; and take it down again."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from codex_hookspecs.errors import ConfigError, PluginError, SandboxUnavailable
from codex_hookspecs.state_file import make_private
from codex_host import __version__
from codex_host.config.effective import EffectiveConfig
from codex_host.environments import HostEnvironments
from codex_host.features import FeatureSwitches
from codex_host.launchers import NamedLauncher
from codex_host.platform import PLATFORM
from codex_host.plugins.dispatch import Dispatcher
from codex_host.plugins.hooks import Hooks
from codex_host.plugins.order import KEY, preferred
from codex_host.plugins.registry import Registry
from codex_host.plugins.stats_file import StatsFile
from codex_host.session.manager import HostThreads
from codex_host.shutdown import close_all

if TYPE_CHECKING:
    from logging import Logger

    from codex_hookspecs.ports.auth import ConnectionAuthenticator
    from codex_hookspecs.ports.sandbox import SandboxLauncher
    from codex_hookspecs.ports.surface import AppServer, RpcMethod
    from codex_hookspecs.types.sandbox import SandboxPolicy

DOWN_LIMIT = 60.0
"""Seconds that each part of the program may take to come down; what it closes has limits of its own."""


def codex_home(environ: Mapping[str, str]) -> str:
    """Return ``$CODEX_HOME``, by default ``~/.codex``, made if it is the default.

    :raises ConfigError: when the variable names something that is no directory.
    """
    given = environ.get("CODEX_HOME")
    if given:
        if not os.path.isdir(given):
            raise ConfigError(f"CODEX_HOME is {given!r}, which is not a directory")
        return _entered(os.path.realpath(given))
    home = os.path.join(environ.get("HOME") or os.path.expanduser("~"), ".codex")
    try:
        make_private(home)
    except OSError as error:
        raise ConfigError(f"{home} can't be made: {error.strerror}; set CODEX_HOME to a directory") from error
    return _entered(os.path.realpath(home))


def _entered(home: str) -> str:
    if not os.access(home, os.R_OK | os.X_OK):
        raise ConfigError(f"{home} can't be read: Permission denied; make it yours, or set CODEX_HOME to a directory")
    return home


class Application:
    """The running program; enter it, use it, leave it.

    :param config: effective configuration of ``cwd``.
    :param registry: plugins already registered.
    :param warnings: what loading the plugins brought up.
    """

    def __init__(
        self,
        *,
        config: EffectiveConfig,
        home: str,
        cwd: str,
        environ: Mapping[str, str],
        registry: Registry,
        stats_file: StatsFile,
        warnings: Sequence[str] = (),
    ) -> None:
        self.version = __version__
        self.codex_home = home
        self.config = config
        self.cwd = cwd
        self.environ = environ
        self.features = FeatureSwitches(config.get("features", {}))
        self.registry = registry
        self.stats_file = stats_file
        self.dispatch = Dispatcher(registry, stats_file, host=self)
        self.hooks = Hooks(self.dispatch)
        self.dispatch.check_settings({"hooks": config.get("hooks", {})})
        self._order_plugins()
        self.threads = HostThreads(self, config=config, hooks=self.hooks, dispatch=self.dispatch)
        self.environments = HostEnvironments(self, hooks=self.hooks, failures=self.dispatch.failures)
        self.interactive_options: Sequence[str] = ()
        self._warnings = list(warnings)
        self._telling: set[asyncio.Task[None]] = set()
        self._app_server: AppServer | None = None
        self._rpc_methods: tuple[RpcMethod, ...] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        closers = [self.threads.aclose, self.environments.aclose]
        if self._app_server is not None:
            closers.insert(0, self._app_server.aclose)
        # What plugins print at the end must not follow machine-readable output.
        with redirect_stdout(sys.stderr):
            await close_all(self, "program", closers, seconds=DOWN_LIMIT)
        self.stats_file.save()

    def _order_plugins(self) -> None:
        """Put the plugins first that the user wants first, and say what stands in the way of an order."""
        self.registry.preferred = preferred(self.config.get(KEY, {}))
        if self.registry.preferred or any(not status.first_party for status in self.registry.statuses.values()):
            from codex_host.plugins.order_checks import order_warnings

            for warning in order_warnings(self.registry):
                self.dispatch.warn(warning)

    def app_server(self) -> AppServer:
        """Return the request processor that all front ends talk to."""
        if self._app_server is None:
            chosen, _ = self.hooks.app_server()
            if chosen is None:
                raise PluginError("no plugin offers an app-server (is app-server disabled?)", plugin="app-server")
            self._app_server = chosen
        return self._app_server

    def rpc_methods(self) -> Sequence[RpcMethod]:
        """Return the RPC methods that plugins offer."""
        if self._rpc_methods is None:
            self._rpc_methods = tuple(self.hooks.rpc_methods().values())
        return self._rpc_methods

    def connection_authenticators(self) -> Sequence[ConnectionAuthenticator]:
        """Return who can check the credentials of incoming connections."""
        return tuple(self.hooks.connection_authenticators().values())

    def launcher(self, policy: SandboxPolicy) -> SandboxLauncher:
        """Return who holds a policy.

        :raises SandboxUnavailable: when no plugin can.
        """
        chosen, plugin = self.hooks.sandbox_launcher(policy, PLATFORM)
        if chosen is None:
            raise SandboxUnavailable(
                f"the command was not run: no sandbox launcher on {PLATFORM} can enforce the policy {policy.mode}; "
                "install one (a plugin with the hook sandbox_launcher), or allow full access "
                "with --sandbox danger-full-access"
            )
        return NamedLauncher(chosen, plugin, self.dispatch.failures)

    def logger(self, plugin: str) -> Logger:
        """Return the log of a plugin; ``CODEX_LOG=debug`` shows all of it on stderr."""
        import logging

        log = logging.getLogger(f"codex.{plugin}")
        root = logging.getLogger("codex")
        if not root.handlers:
            root.addHandler(logging.StreamHandler())
            level = self.environ.get("CODEX_LOG", "error").upper()
            root.setLevel(level if level in logging.getLevelNamesMapping() else "ERROR")
        return log

    def warn_clients(self, text: str) -> None:
        """Tell whoever follows a thread something that concerns the whole program."""
        self.dispatch.warn(text)
        for thread in self.threads.loaded():
            task = asyncio.get_running_loop().create_task(thread.warn(text), name="warning")
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

    def startup_warnings(self) -> Sequence[str]:
        """Return what the user should know of how the program came up."""
        suppressed = bool(self.config.get("suppress_unstable_features_warning"))
        features = self.features.warnings(f"{self.codex_home}/config.toml", suppressed=suppressed)
        return [*self._warnings, *self.dispatch.warnings, *features]


def build(
    *,
    overrides: Mapping[str, Any],
    profile: str | None,
    cwd: str,
    environ: Mapping[str, str],
    no_plugins: bool = False,
    strict_config: bool = False,
) -> Application:
    """Read configuration, load the admitted plugins and return the program, not yet entered.

    :param no_plugins: leave third-party plugins out.
    :param strict_config: refuse keys of the configuration that nobody knows.
    :raises ConfigError: when configuration can't be used.
    """
    from codex_host.plugins.loading import load_plugins

    home = codex_home(environ)
    config = EffectiveConfig(home, cwd=cwd, flags=overrides, profile=profile, strict=strict_config)
    registry = Registry()
    stats_file = StatsFile.in_home(home)
    warnings = load_plugins(registry, stats_file, config=config, home=home, no_plugins=no_plugins)
    host = Application(
        config=config, home=home, cwd=cwd, environ=environ, registry=registry, stats_file=stats_file, warnings=warnings
    )
    if not os.path.isdir(cwd) and not host.environments.is_remote(config.get("environment")):
        raise ConfigError(f"working directory {cwd} does not exist or is not a directory")
    return host
