"""Build the application (configuration, plugins, threads) and shut it down."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from codex_hookspecs.errors import ConfigError, PluginError, SandboxUnavailable
from codex_hookspecs.state_file import make_private
from codex_host import __version__
from codex_host.config.effective import EffectiveConfig, LiveConfig
from codex_host.environments import HostEnvironments, check_directory
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
    from codex_hookspecs.ports.auth import ConnectionAuthenticator
    from codex_hookspecs.ports.sandbox import SandboxLauncher
    from codex_hookspecs.ports.surface import AppServer, RemoteAddress, RpcMethod
    from codex_hookspecs.types.sandbox import SandboxPolicy

SHUTDOWN_LIMIT = 60.0
"""Time limit in seconds for shutting down each part of the program; what it closes has its own limits."""
PROVIDER_LIMIT = 10.0
"""Time limit in seconds for the check of a model provider that a client wants to write."""


def codex_home(environ: Mapping[str, str]) -> str:
    """Return ``$CODEX_HOME``, by default ``~/.codex``, which is created if missing.

    :raises ConfigError: when it is not an accessible directory.
    """
    given = environ.get("CODEX_HOME")
    if given:
        if not os.path.isdir(given):
            raise ConfigError(f"CODEX_HOME is {given!r}, which is not a directory")
        return _require_access(os.path.realpath(given))
    home = os.path.join(environ.get("HOME") or os.path.expanduser("~"), ".codex")
    try:
        make_private(home)
    except OSError as error:
        raise ConfigError(f"{home} can't be made: {error.strerror}; set CODEX_HOME to a directory") from error
    return _require_access(os.path.realpath(home))


def _require_access(home: str) -> str:
    if not os.access(home, os.R_OK | os.X_OK):
        raise ConfigError(f"{home} can't be read: Permission denied; make it yours, or set CODEX_HOME to a directory")
    return home


class _FirstRecord(logging.Handler):
    """Sets up the log when there is something to log."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__()
        self._environ = environ

    def emit(self, record: logging.LogRecord) -> None:
        """Replace this handler and pass the record on."""
        from codex_host.logs import configure

        configure(self._environ).handle(record)


class Application:
    """The running program, an asynchronous context manager.

    :param config: effective configuration of ``cwd``.
    :param registry: plugins already registered.
    :param warnings: warnings from loading the plugins.
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
        self.config = LiveConfig(config, cwd)
        self.cwd = cwd
        self.environ = environ
        self._features = FeatureSwitches(config.get("features", {}))
        self._features_of = self.config.table
        self.registry = registry
        self.stats_file = stats_file
        self.dispatch = Dispatcher(registry, stats_file, host=self)
        self.hooks = Hooks(self.dispatch)
        self.dispatch.check_settings({"hooks": config.get("hooks", {})})
        self._order_plugins()
        self.threads = HostThreads(self, config=self.config, hooks=self.hooks, dispatch=self.dispatch)
        self.environments = HostEnvironments(self, hooks=self.hooks, failures=self.dispatch.failures)
        self.interactive_options: Sequence[str] = ()
        self.remote: RemoteAddress | None = None
        self._warnings = list(warnings)
        self._telling: set[asyncio.Task[None]] = set()
        self._listeners: list[Callable[[str], None]] = []
        self._app_server: AppServer | None = None
        self._rpc_methods: tuple[RpcMethod, ...] | None = None
        self._methods_of: dict[str, Mapping[str, RpcMethod]] = {}
        self.dispatch.on_warning = self._tell_clients

    async def __aenter__(self) -> Self:
        self.config.check_provider = partial(self._check_provider, asyncio.get_running_loop())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        closers = [self.threads.aclose, self.environments.aclose]
        if self._app_server is not None:
            closers.insert(0, self._app_server.aclose)
        # Output of plugins during shutdown must not be mixed with machine-readable output.
        with redirect_stdout(sys.stderr):
            await close_all(self, "program", closers, seconds=SHUTDOWN_LIMIT)
        self.stats_file.save()

    def _check_provider(self, loop: asyncio.AbstractEventLoop, name: str, table: Mapping[str, Any]) -> None:
        """Check, in a worker thread, that plugins can make a model provider of a table.

        :raises ConfigError: when they can't.
        """

        async def check() -> None:
            provider, _ = self.hooks.model_provider(name, dict(table))
            if provider is not None:
                await provider.aclose()

        asyncio.run_coroutine_threadsafe(check(), loop).result(PROVIDER_LIMIT)

    def _order_plugins(self) -> None:
        """Apply the user's order of plugins, and warn about contradictions."""
        self.registry.preferred = preferred(self.config.get(KEY, {}))
        if self.registry.preferred or any(not status.first_party for status in self.registry.statuses.values()):
            from codex_host.plugins.order_checks import order_warnings

            for warning in order_warnings(self.registry):
                self.dispatch.warn(warning)

    @property
    def features(self) -> FeatureSwitches:
        """The effective feature flags."""
        table = self.config.table
        if table is not self._features_of:
            self._features.follow(table.get("features", {}))
            self._features_of = table
        return self._features

    def app_server(self) -> AppServer:
        """Return the app-server, which processes the requests of all front ends."""
        if self._app_server is None:
            chosen, _ = self.hooks.app_server()
            if chosen is None:
                reasons = "".join(f"; {text}" for text in self.unavailable("app_server"))
                raise PluginError(f"no plugin offers an app-server{reasons}", plugin="app-server")
            self._app_server = chosen
        return self._app_server

    def rpc_methods(self) -> Sequence[RpcMethod]:
        """Return the RPC methods that plugins offer."""
        if self._rpc_methods is None:
            found = self.hooks.rpc_methods()
            offered: dict[str, RpcMethod] = dict(found)
            if not all(self._is_first_party(plugin) for plugin in found.owners.values()):
                from codex_host.plugins.rpc_checks import checked_methods

                offered = checked_methods(found, is_trusted=self._is_first_party, warn=self.dispatch.warn)
            for given in self._methods_of.values():
                offered.update(given)  # They may have state.
            self._rpc_methods = tuple(offered.values())
        return self._rpc_methods

    def rpc_method(self, name: str) -> RpcMethod | None:
        """Return the RPC method of a name, ``None`` when no plugin offers it."""
        if self._rpc_methods is None:
            plugins = self.registry.sharing("rpc_methods")
            # Of those of the host no two offer the same name, so each is only imported when those before lack it.
            if all(map(self._is_first_party, plugins)):
                for plugin in plugins:
                    if plugin not in self._methods_of:
                        self._methods_of[plugin] = self.hooks.rpc_methods(plugin=plugin)
                    if name in self._methods_of[plugin]:
                        return self._methods_of[plugin][name]
        return next((method for method in self.rpc_methods() if method.name == name), None)

    def _is_first_party(self, plugin: str) -> bool:
        return self.registry.status(plugin).first_party

    def connection_authenticators(self) -> Sequence[ConnectionAuthenticator]:
        """Return the authenticators for incoming connections."""
        from codex_host.authenticators import NamedAuthenticator  # needed by servers only

        offered = self.hooks.connection_authenticators()
        failures, warn = self.dispatch.failures, self.dispatch.warn
        return tuple(
            NamedAuthenticator(each, mode, plugin=offered.owners[mode], failures=failures, warn=warn)
            for mode, each in offered.items()
        )

    def unavailable(self, hook: str) -> Sequence[str]:
        """Return why plugins that implement a hook can't be asked: not loaded, quarantined or failed."""
        return self.dispatch.unavailable(hook)

    def launcher(self, policy: SandboxPolicy) -> SandboxLauncher:
        """Return a launcher that can enforce a policy.

        :raises SandboxUnavailable: when no plugin has one.
        """
        chosen, plugin = self.hooks.sandbox_launcher(policy, PLATFORM)
        if chosen is None:
            unavailable = "; ".join(self.unavailable("sandbox_launcher"))
            reasons = f" ({unavailable})" if unavailable else ""
            raise SandboxUnavailable(
                f"the command was not run: no sandbox launcher on {PLATFORM} can enforce the policy {policy.mode}"
                f"{reasons}; install one (a plugin with the hook sandbox_launcher), or allow full access "
                "with --sandbox danger-full-access"
            )
        return NamedLauncher(chosen, plugin, self.dispatch.failures)

    def logger(self, plugin: str) -> logging.Logger:
        """Return the logger of a plugin; ``CODEX_LOG=debug`` prints everything to stderr."""
        root = logging.getLogger("codex")
        if not root.handlers:
            root.addHandler(_FirstRecord(self.environ))
            root.setLevel(logging.ERROR)
            if "CODEX_LOG" in self.environ:
                from codex_host.logs import configure

                configure(self.environ, self.registry.statuses)
        return logging.getLogger(f"codex.{plugin}")

    def _tell_clients(self, text: str) -> None:
        """Send a warning about the whole program to the clients of all threads."""
        for thread in self.threads.loaded():
            task = asyncio.get_running_loop().create_task(thread.warn(text), name="warning")
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)
        for listener in self._listeners:
            listener(text)

    def on_warning(self, tell: Callable[[str], None]) -> None:
        """Call a function with each further warning, once."""
        self._listeners.append(tell)

    def startup_warnings(self) -> Sequence[str]:
        """Return warnings from the start of the program."""
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
    """Read the configuration, load the admitted plugins and return the application, not yet entered.

    :param no_plugins: don't load third-party plugins.
    :param strict_config: reject unknown configuration keys.
    :raises ConfigError: when the configuration is invalid.
    """
    from codex_host.plugins.loading import load_plugins

    home = codex_home(environ)
    config = EffectiveConfig(home, cwd=cwd, flags=overrides, profile=profile, strict=strict_config)
    registry = Registry()
    stats_file = StatsFile.in_home(home)
    warnings = load_plugins(
        registry, stats_file, config=config, home=home, no_plugins=no_plugins, strict_config=strict_config
    )
    host = Application(
        config=config, home=home, cwd=cwd, environ=environ, registry=registry, stats_file=stats_file, warnings=warnings
    )
    check_directory(cwd, host.environments, config.get("environment"))
    return host
