"""Cache, for one host, the handlers that apply in each turn."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from codex_hooks_command import config_probe
from codex_hookspecs.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from codex_hooks_command.detached import DetachedRuns
    from codex_hooks_command.discovery import Registry
    from codex_hooks_command.files import HookFiles
    from codex_hookspecs.host import AgentThread, Config, ConfigLayer, Host
    from codex_hookspecs.lifecycle import HookScope, LifecycleEvent

FEATURE = "hooks"
BYPASS_KEY = "bypass_hook_trust"
_TURNS_KEPT = 32

_caches: WeakKeyDictionary[Host, RegistryCache] = WeakKeyDictionary()


def registry_cache_of(host: Host) -> RegistryCache:
    """Return the cache of a host, which lives as long as the host."""
    if (known := _caches.get(host)) is None:
        known = _caches[host] = RegistryCache(host)
    return known


class RegistryCache:
    """The registries of a host; they are read again at the beginning of a turn if files have changed."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._by_turn: dict[str, Registry | None] = {}
        self._by_directory: dict[str, Registry | None] = {}
        self._file_states: dict[str, config_probe.FileState | None] = {}
        self._files: HookFiles | None = None
        self._detached: DetachedRuns | None = None

    async def registry(self, event: LifecycleEvent, scope: HookScope) -> Registry | None:
        """Return the registry for an event, and pass its warnings to the user.

        :return: ``None`` when nothing is configured.
        """
        if event.turn_id is not None and event.turn_id in self._by_turn:
            registry = self._by_turn[event.turn_id]
        else:
            overrides = scope.thread.settings.overrides if scope.thread is not None else None
            registry = self._read_registry(event.turn_id, event.cwd, overrides)
        for warning in registry.warnings if registry is not None else ():
            await scope.warn(warning)
        return registry

    def has_hooks(self, thread: AgentThread | None) -> bool:
        """Return whether any hook is configured for a thread."""
        if thread is None:
            return True
        turn = thread.active_turn_id
        if turn is not None and turn in self._by_turn:
            return self._by_turn[turn] is not None
        return self._read_registry(turn, thread.settings.cwd, thread.settings.overrides) is not None

    def _read_registry(self, turn: str | None, cwd: str, overrides: Mapping[str, Any] | None) -> Registry | None:
        registry = None
        if self._host.features.enabled(FEATURE):
            try:
                config = self._host.config.for_directory(cwd, overrides)
            except ConfigError as error:
                registry = self._previous_registry(cwd, error)
            else:
                registry = self._by_directory[cwd] = self.discover(config, bypass=bool(config.get(BYPASS_KEY)))
        if turn is not None:
            self._remember(turn, registry)
        return registry

    def _previous_registry(self, cwd: str, error: ConfigError) -> Registry:
        # A configuration that has become invalid must not disable the hooks that protect the user.
        from attrs import evolve

        from codex_hooks_command.discovery import Registry

        known = self._by_directory.get(cwd) or Registry()
        return evolve(known, warnings=(*known.warnings, f"the previous hooks stay in force: {error}"))

    def discover(self, config: Config, *, bypass: bool) -> Registry | None:
        """Read the handlers of a configuration.

        :return: ``None`` when nothing is configured.
        """
        layers = config.layers
        unsupported = self._bundle_warnings(layers)
        if not (unsupported or self._config_changed(layers) or config_probe.has_hooks(layers)):
            return None
        from attrs import evolve

        from codex_hooks_command.discovery import discover
        from codex_hooks_command.files import HookFiles

        if self._files is None:
            self._files = HookFiles()
        registry = discover(layers, self._files, bypass=bypass)
        return evolve(registry, warnings=(*registry.warnings, *unsupported))

    def for_listing(self, config: Config, cwd: str) -> Registry | None:
        """Return the registry of a directory for a listing, in which handlers whose scripts have changed are skipped.

        :return: ``None`` when nothing is configured.
        """
        registry = self.discover(config, bypass=False)
        if registry is None or not any(one.reviewed for one in registry.handlers):
            return registry
        from attrs import evolve

        from codex_hooks_command.acceptance import AcceptedScripts, changed_script_reason

        scripts = AcceptedScripts(self._host.codex_home, self._host.environ)
        changes = [scripts.find_changed(one, cwd, config.table, remember=False) for one in registry.handlers]
        handlers = tuple(
            one
            if path is None or one.skipped
            else evolve(one, skipped=changed_script_reason(path, one), changed_script=True)
            for one, path in zip(registry.handlers, changes, strict=True)
        )
        return evolve(registry, handlers=handlers)

    def _bundle_warnings(self, layers: Sequence[ConfigLayer]) -> Sequence[str]:
        if not any("@" in name for layer in layers for name in layer.table.get("plugins") or ()):
            return ()
        from codex_hooks_command.bundles import unsupported_bundle_warnings

        return tuple(unsupported_bundle_warnings(layers, self._host.codex_home))

    @property
    def detached(self) -> DetachedRuns:
        """The runs of ``async`` handlers."""
        if self._detached is None:
            from codex_hooks_command.detached import DetachedRuns

            self._detached = DetachedRuns()
        return self._detached

    def _config_changed(self, layers: Sequence[ConfigLayer]) -> bool:
        # The host reads config.toml once; if it has changed since, it may declare hooks now.
        for file in [layer.file for layer in layers if layer.file is not None]:
            try:
                state = config_probe.file_state(file)
            except OSError:
                continue
            if self._file_states.setdefault(file, state) != state:
                return True
        return False

    def _remember(self, turn: str, registry: Registry | None) -> None:
        self._by_turn[turn] = registry
        if len(self._by_turn) > _TURNS_KEPT:
            del self._by_turn[next(iter(self._by_turn))]
