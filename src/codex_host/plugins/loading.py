"""Import and register the admitted plugins."""

from __future__ import annotations

import time
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

from codex_hookspecs.errors import HookSpecError
from codex_host.plugins.admission import Admission
from codex_host.plugins.discovery import found_plugins
from codex_host.plugins.order import mark_of
from codex_host.plugins.signatures import implementations, options_of
from codex_host.process.descriptors import output_to_stderr
from codex_host.process.owners import register_owner
from codex_host.process.signals import SIGNALS

if TYPE_CHECKING:
    from codex_host.config.effective import EffectiveConfig
    from codex_host.plugins.import_marks import ImportMark
    from codex_host.plugins.manifest import FoundPlugin
    from codex_host.plugins.registry import Registry
    from codex_host.plugins.stats_file import StatsFile


ON_DEMAND = frozenset(
    (
        "cli_commands",
        "connection_authenticators",
        "doctor_checks",
        "environments",
        "instruction_fragments",
        "model_provider",
        "rpc_methods",
        "sandbox_launcher",
        "thread_store",
        "tools",
    )
)
"""Hooks that need no plugin before they are called: a first-party plugin with no others is imported at the first call.

That is never the case in most runs, or for a server when its first thread or turn starts.
"""

HANG_SECONDS = 5.0
"""An import that is interrupted after this many seconds counts as a crash."""


def load_plugins(
    registry: Registry,
    stats_file: StatsFile,
    *,
    config: EffectiveConfig,
    home: str,
    no_plugins: bool = False,
    strict_config: bool = False,
) -> list[str]:
    """Load every admitted plugin, in order of name; a failure does not affect the others.

    :param no_plugins: don't load third-party plugins.
    :param strict_config: reject settings that no plugin has.
    :return: warnings for the user.
    :raises ConfigError: when the configuration has such a setting and is strict.
    """
    warnings: list[str] = []
    plugins = found_plugins(home)
    if any("plugins" in layer.table or "profiles" in layer.table for layer in config.layers):
        from codex_host.plugins.settings_checks import settings_warnings

        warnings += settings_warnings(config.layers, plugins, strict=strict_config)
    admission = Admission(config=config, home=home, stats_file=stats_file, no_plugins=no_plugins)
    registry.statuses.update(admission.admit_all(plugins))
    for plugin in plugins:
        if plugin.name in admission.contents and registry.statuses[plugin.name].state == "loaded":
            from codex_host.plugins.guarded_import import IMPORTS

            IMPORTS.add(plugin.name, plugin.value, admission.contents[plugin.name])
    mark = _mark(home) if any(registry.statuses[name].state == "loaded" for name in admission.contents) else None
    try:
        for plugin in plugins:
            _load_now_or_later(plugin, registry, stats_file, mark)
    finally:
        if mark is not None:
            mark.close()
    for plugin in plugins:
        status = registry.statuses[plugin.name]
        if status.state not in ("loaded", "disabled") and not status.expected:
            warnings.append(status.warning)
        elif status.state == "loaded" and status.quarantined:
            warnings.append(status.quarantine)
        warnings += (f"plugin {plugin.name}: {slip}" for slip in status.mistakes)
    return warnings


def _mark(home: str) -> ImportMark:
    from codex_host.plugins.import_marks import ImportMark

    return ImportMark(home)


def _load_now_or_later(plugin: FoundPlugin, registry: Registry, stats_file: StatsFile, mark: ImportMark | None) -> None:
    status = registry.statuses[plugin.name]
    if status.state == "loaded" and status.first_party and status.hooks and ON_DEMAND.issuperset(status.hooks):
        registry.deferred[plugin.name] = (frozenset(status.hooks), partial(_load, plugin, registry, stats_file))
    elif status.state == "loaded":
        _load(plugin, registry, stats_file, None if status.first_party else mark)


def _load(plugin: FoundPlugin, registry: Registry, stats_file: StatsFile, mark: ImportMark | None = None) -> None:
    """Import and register a plugin, containing any error.

    :param mark: records the import on disk, for a third-party plugin.
    :raises KeyboardInterrupt: when the program was interrupted by a signal.
    """
    status = registry.statuses[plugin.name]
    started = time.perf_counter()
    register_owner(plugin.value, plugin.name)
    if mark is not None:
        mark.begin(plugin.name, plugin.version)
    try:
        # Output of a plugin during its import must not be mixed with machine-readable output.
        with output_to_stderr():
            loaded = import_object(plugin.value)
            # A gate counts as unavailable even if the manifest does not list it.
            found = dict(implementations(loaded))
            status.hooks = tuple({*status.hooks, *found})
            status.hooks = registry.register(loaded, plugin.name)
            marks = {hook: made for hook, function in found.items() if (made := mark_of(options_of(function) or {}))}
            if mark is not None and plugin.manifest is not None:
                status.mistakes = [*registry.mistakes(loaded, plugin.manifest), *registry.uncalled_hooks(status.hooks)]
        SIGNALS.check()
    except BaseException as error:
        interrupted = bool(SIGNALS.received) or SIGNALS.is_interrupt(error)
        if mark is not None and not (interrupted and time.perf_counter() - started > HANG_SECONDS):
            mark.over()
        if interrupted:  # An interrupt often surfaces as a failure of the import.
            raise KeyboardInterrupt from error
        from codex_host.plugins.import_errors import reason_of

        status.state = "failed"
        status.detail = str(error) if isinstance(error, HookSpecError) else reason_of(error)
        status.remedy = f"codex plugins doctor {plugin.name}"
        stats_file.record_load_failure(plugin.name, status.detail, version=status.version)
        return
    finally:
        SIGNALS.restore()
    if mark is not None:
        mark.over()
    stats_file.record_load(plugin.name, (time.perf_counter() - started) * 1000, marks)


def import_object(value: str) -> object:
    """Import the object that an entry point names."""
    module, _, attribute = value.partition(":")
    loaded = import_module(module)
    for name in attribute.split(".") if attribute else ():
        loaded = getattr(loaded, name)
    return loaded
