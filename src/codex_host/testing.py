"""A host for tests of plugins: runs whole turns with exactly the given plugins, without discovery.

The test kit finds :func:`open_host` through the entry-point group ``codex.test_host``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from codex_hookspecs.errors import CodexError
from codex_hookspecs.types.notifications import Notification, TurnCompleted
from codex_hookspecs.types.requests import ThreadStartParams
from codex_host.app import Application
from codex_host.config.effective import EffectiveConfig
from codex_host.plugins.registry import PluginStatus, Registry
from codex_host.plugins.signatures import implementations
from codex_host.plugins.stats_file import StatsFile
from codex_testkit.outcome import TurnOutcome

if TYPE_CHECKING:
    from codex_host.session.thread import HostThread


class OpenHost:
    """A started host.

    :ivar failures: failures of plugins so far: the message for the user, and the error.
    """

    def __init__(self, application: Application, params: Mapping[str, Any]) -> None:
        self.application = application
        self.failures: list[tuple[str, BaseException | None]] = []
        self._params = params
        self._thread: HostThread | None = None
        application.dispatch.failures.listener = lambda text, error: self.failures.append((text, error))

    async def thread(self) -> HostThread:
        """Return the thread, which is started on first use."""
        if self._thread is None:
            self._thread = await self.application.threads.start(ThreadStartParams(**self._params))
        return self._thread

    async def command(self, name: str, arguments: Sequence[str]) -> int:
        """Run a plugin's sub-command and return its exit status.

        :raises LookupError: when no plugin offers it.
        """
        offered = self.application.hooks.cli_commands()
        if name not in offered:
            raise LookupError(f"no plugin offers the command {name!r}; offered are: {', '.join(offered) or 'none'}")
        return await offered[name].run(arguments, self.application)

    async def turn(self, prompt: str) -> TurnOutcome:
        """Run one turn of the thread to completion."""
        thread = await self.thread()
        seen: list[Notification] = []

        async def listener(notification: Notification) -> None:
            seen.append(notification)

        leave = thread.listen(listener)
        try:
            await thread.submit([{"type": "text", "text": prompt}])
            await thread.wait_idle()
        finally:
            leave()
        ended = [each.turn for each in seen if isinstance(each, TurnCompleted)]
        return TurnOutcome(thread, ended[-1], seen)


@asynccontextmanager
async def open_host(
    *,
    plugins: Sequence[object],
    home: str,
    cwd: str,
    config: Mapping[str, Any] | str | None = None,
    params: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    strict: bool = True,
) -> AsyncIterator[OpenHost]:
    """Start a host with exactly these plugins.

    :param plugins: modules or objects with hook implementations; a pair ``(name, plugin)`` names one.
    :param home: directory used as ``$CODEX_HOME``.
    :param config: session flags: dotted keys, tables, or the text of a ``config.toml``.
    :param params: members of ``thread/start`` in snake case.
    :param strict: raise an error for a plugin that can't be registered; otherwise it is skipped, as in the program.
    """
    registry = Registry()
    warnings = []
    for index, given in enumerate(plugins):
        name, plugin = given if isinstance(given, tuple) else (_name_of(given, index), given)
        _check(plugin)
        hooks = tuple(hook for hook, _ in implementations(plugin))
        status = PluginStatus(name=name, version="0", distribution=name, hooks=hooks, trusted=True)
        registry.statuses[name] = status
        try:
            status.hooks = registry.register(plugin, name)
            warnings += [f"plugin {name}: {slip}" for slip in registry.uncalled_hooks(status.hooks)]
        except CodexError as error:
            if strict:
                raise
            status.state, status.detail = "failed", str(error)
            warnings.append(f"plugin {name} is failed: {error}")
    defaults = {"model_provider": "test", "approval_policy": "never", "sandbox_mode": "danger-full-access"}
    application = Application(
        config=EffectiveConfig(home, cwd=cwd, flags={**defaults, **_flags(config)}),
        home=home,
        cwd=cwd,
        environ=dict(environ or {}),
        registry=registry,
        stats_file=StatsFile(),
        warnings=warnings,
    )
    async with application:
        yield OpenHost(application, params or {})


def _flags(config: Mapping[str, Any] | str | None) -> Mapping[str, Any]:
    if isinstance(config, str):
        import tomllib

        return tomllib.loads(config)
    if config is not None and not isinstance(config, Mapping):
        raise TypeError(f"config is {config!r}, allowed is a table or the text of a config.toml")
    return config or {}


def _check(plugin: object) -> None:
    """Reject objects that are not plugins, which would be registered but never called."""
    if isinstance(plugin, str):
        raise TypeError(f"plugins holds the text {plugin!r}; give the module or object that has the hooks")
    if not any(True for _ in implementations(plugin)):
        raise TypeError(f"{plugin!r} implements no hook; mark its functions with @hookimpl")


def _name_of(plugin: object, index: int) -> str:
    name: str = getattr(plugin, "__name__", type(plugin).__name__).rpartition(".")[2]
    return f"{name}-{index}" if name == "plugin" else name
