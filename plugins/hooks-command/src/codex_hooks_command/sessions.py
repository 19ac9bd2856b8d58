"""Remember, for one running program, which handlers are in force in each turn."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from codex_hookspecs.errors import ConfigError

from . import presence

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from codex_hookspecs.host import AgentThread, Config, ConfigLayer, Host
    from codex_hookspecs.lifecycle import HookScope, LifecycleEvent

    from .detached import DetachedRuns
    from .discovery import Registry
    from .files import HookFiles

FEATURE = "hooks"
BYPASS_KEY = "bypass_hook_trust"
_TURNS_KEPT = 32

_sessions: WeakKeyDictionary[Host, Sessions] = WeakKeyDictionary()


def sessions_of(host: Host) -> Sessions:
    """Return what is remembered for a program; it is forgotten with it."""
    if (known := _sessions.get(host)) is None:
        known = _sessions[host] = Sessions(host)
    return known


class Sessions:
    """The handlers in force, read again at the beginning of each turn when files changed."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._turns: dict[str, Registry | None] = {}
        self._last: dict[str, Registry | None] = {}
        self._states: dict[str, presence.State | None] = {}
        self._files: HookFiles | None = None
        self._detached: DetachedRuns | None = None

    async def registry(self, event: LifecycleEvent, scope: HookScope) -> Registry | None:
        """Return the handlers in force for an event, and warn about those left out when they are new.

        :return: ``None`` when nothing is configured.
        """
        if event.turn_id is not None and event.turn_id in self._turns:
            registry = self._turns[event.turn_id]
        else:
            overrides = scope.thread.settings.overrides if scope.thread is not None else None
            registry = self._found(event.turn_id, event.cwd, overrides)
        for warning in registry.warnings if registry is not None else ():
            await scope.warn(warning)
        return registry

    def configured(self, thread: AgentThread | None) -> bool:
        """Tell whether any hook is configured for a thread."""
        if thread is None:
            return True
        turn = thread.active_turn_id
        if turn is not None and turn in self._turns:
            return self._turns[turn] is not None
        return self._found(turn, thread.settings.cwd, thread.settings.overrides) is not None

    def _found(self, turn: str | None, cwd: str, overrides: Mapping[str, Any] | None) -> Registry | None:
        registry = None
        if self._host.features.enabled(FEATURE):
            try:
                config = self._host.config.for_directory(cwd, overrides)
            except ConfigError as error:
                registry = self._as_before(cwd, error)
            else:
                registry = self._last[cwd] = self.look_up(config, bypass=bool(config.get(BYPASS_KEY)))
        if turn is not None:
            self._keep(turn, registry)
        return registry

    def _as_before(self, cwd: str, error: ConfigError) -> Registry:
        # A configuration that broke meanwhile must not switch off the hooks that guard the user.
        from attrs import evolve

        from .discovery import Registry

        known = self._last.get(cwd) or Registry()
        return evolve(known, warnings=(*known.warnings, f"hooks stay as they were: {error}"))

    def look_up(self, config: Config, *, bypass: bool) -> Registry | None:
        """Return the handlers that a configuration puts in force.

        :return: ``None`` when nothing is configured.
        """
        layers = config.layers
        unsupported = self._unsupported(layers)
        if not (unsupported or self._changed(layers) or presence.configured(layers)):
            return None
        from attrs import evolve

        from .discovery import discover
        from .files import HookFiles

        if self._files is None:
            self._files = HookFiles()
        registry = discover(layers, self._files, bypass=bypass)
        return evolve(registry, warnings=(*registry.warnings, *unsupported))

    def listed(self, config: Config, cwd: str) -> Registry | None:
        """Return the handlers of a directory as people are shown them: those whose scripts have changed do not run.

        :return: ``None`` when nothing is configured.
        """
        registry = self.look_up(config, bypass=False)
        if registry is None or not any(one.reviewed for one in registry.handlers):
            return registry
        from attrs import evolve

        from .acceptance import AcceptedScripts, changed_script

        scripts = AcceptedScripts(self._host.codex_home, self._host.environ)
        changes = [scripts.changed(one, cwd, config.table, remember=False) for one in registry.handlers]
        handlers = tuple(
            one if path is None or one.skipped else evolve(one, skipped=changed_script(path, one), changed_script=True)
            for one, path in zip(registry.handlers, changes, strict=True)
        )
        return evolve(registry, handlers=handlers)

    def _unsupported(self, layers: Sequence[ConfigLayer]) -> Sequence[str]:
        if not any("@" in name for layer in layers for name in layer.table.get("plugins") or ()):
            return ()
        from .bundles import warnings_about

        return tuple(warnings_about(layers, self._host.codex_home))

    @property
    def detached(self) -> DetachedRuns:
        """Owner of the runs that nobody waits for."""
        if self._detached is None:
            from .detached import DetachedRuns

            self._detached = DetachedRuns()
        return self._detached

    def _changed(self, layers: Sequence[ConfigLayer]) -> bool:
        # The host reads config.toml once; one that changed since may declare hooks now.
        for file in [layer.file for layer in layers if layer.file is not None]:
            try:
                state = presence.state_of(file)
            except OSError:
                continue
            if self._states.setdefault(file, state) != state:
                return True
        return False

    def _keep(self, turn: str, registry: Registry | None) -> None:
        self._turns[turn] = registry
        if len(self._turns) > _TURNS_KEPT:
            del self._turns[next(iter(self._turns))]
