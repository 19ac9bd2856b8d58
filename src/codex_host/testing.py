"""A host for tests of plugins: runs whole turns with exactly the given plugins, without discovery.

The test kit finds :func:`open_host` through the entry-point group ``codex.test_host``.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tomllib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from codex_hookspecs.errors import CodexError
from codex_hookspecs.types.notifications import Notification, TurnCompleted
from codex_hookspecs.types.requests import ThreadStartParams
from codex_host.app import Application
from codex_host.command_help import plain_help, wants_help
from codex_host.config.effective import EffectiveConfig
from codex_host.plugins.listing import first_party_distributions
from codex_host.plugins.manifest import FILE_NAME, Manifest, manifest_from_table
from codex_host.plugins.places import find_failing_plugin, waiting_places
from codex_host.plugins.registry import PluginStatus, Registry
from codex_host.plugins.signatures import implementations
from codex_host.plugins.stats_file import StatsFile
from codex_host.plugins.tasks import GRACE
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
        if not offered[name].own_parser and wants_help(arguments):
            print(plain_help(offered[name]))
            return 0
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

    :param plugins: modules or objects with hook implementations; a pair ``(name, plugin)`` names one. A module whose
        package has a manifest has the name and the order that this says, and first-party plugins are that here, too.
    :param home: directory used as ``$CODEX_HOME``.
    :param config: session flags: dotted keys, tables, or the text of a ``config.toml``.
    :param environ: variables of the program; ``PATH`` is that of the test unless it is among them.
    :param params: members of ``thread/start`` in snake case.
    :param strict: raise an error for a plugin that can't be registered; otherwise it is skipped, as in the program.
    """
    registry = Registry()
    warnings = []
    for index, given in enumerate(plugins):
        named, plugin = given if isinstance(given, tuple) else ("", given)
        _check(plugin)
        status = _status_of(plugin, named, index)
        name = status.name
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
        environ={"PATH": os.environ.get("PATH", os.defpath), **(environ or {})},
        registry=registry,
        stats_file=StatsFile(),
        warnings=warnings,
    )
    earlier = asyncio.all_tasks()
    host = OpenHost(application, params or {})
    try:
        async with application:
            yield host
    finally:
        await _end_tasks(host, asyncio.all_tasks() - earlier)


async def _end_tasks(host: OpenHost, tasks: set[asyncio.Task[Any]]) -> None:
    """End the tasks that plugins left, and report those that ignore their cancellation.

    The end of an event loop waits for all its tasks, so it forgets the latter.

    :param tasks: tasks that began while the host was up.
    """
    registry, failures = host.application.registry, host.application.dispatch.failures
    left: dict[asyncio.Task[Any], tuple[str, tuple[str, int]]] = {}
    for task in tasks:
        plugin, place = find_failing_plugin(registry, "", waiting_places(task))
        if task is not asyncio.current_task() and place is not None:
            task.cancel()
            left[task] = plugin, place
    if not left:
        return
    _, running = await asyncio.wait(left, timeout=GRACE)
    for task in running:
        plugin, (file, line) = left[task]
        if not any(f"({file}:{line})" in text for text, _ in host.failures):
            failures.report_left_behind(_function_at(task, file), plugin, [(file, line)])
        asyncio._unregister_task(task)
        task._log_destroy_pending = False  # type: ignore[attr-defined]


def _function_at(task: asyncio.Task[Any], file: str) -> str:
    """Return the outermost function of a file in which a task waits."""
    waiting: Any = task.get_coro()
    while waiting is not None:
        code = getattr(waiting, "cr_code", None) or getattr(waiting, "gi_code", None)
        if code is not None and code.co_filename == file:
            return str(waiting.__name__)
        waiting = getattr(waiting, "cr_await", None) or getattr(waiting, "gi_yieldfrom", None)
    return "a task"


def _flags(config: Mapping[str, Any] | str | None) -> Mapping[str, Any]:
    if isinstance(config, str):
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


def _status_of(plugin: object, named: str, index: int) -> PluginStatus:
    """Return what the installed program would know of a plugin.

    :param named: its name, or the empty string for that of its manifest.
    :param index: its place among the plugins, for the name of a module without a manifest.
    """
    manifest = _manifest_of(plugin) if isinstance(plugin, ModuleType) else None
    module: str = getattr(plugin, "__name__", type(plugin).__name__)
    own = module.rpartition(".")[2]
    name = named or (manifest.name if manifest else f"{own}-{index}" if own == "plugin" else own)
    return PluginStatus(
        name=name,
        version="0",
        distribution=f"codex-{name}" if manifest else name,
        first_party=manifest is not None and f"codex-{manifest.name}" in _first_party(),
        hooks=tuple(hook for hook, _ in implementations(plugin)),
        trusted=True,
        before=manifest.before if manifest else (),
        after=manifest.after if manifest else (),
    )


def _manifest_of(plugin: ModuleType) -> Manifest | None:
    """Return the manifest in the package of a module, or ``None`` when it has none."""
    package = sys.modules.get(plugin.__name__.partition(".")[0])
    for folder in getattr(package, "__path__", ()):
        path = Path(folder, FILE_NAME)
        if path.is_file():
            table = tomllib.loads(path.read_text("utf-8"))
            return manifest_from_table(table, source=str(path), plugin=table.get("name", ""))
    return None


@cache
def _first_party() -> frozenset[str]:
    return first_party_distributions([distribution("codex-host")])
