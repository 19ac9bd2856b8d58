"""Load the plugins that were admitted."""

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
from codex_host.process.owners import remember_plugin
from codex_host.process.signals import SIGNALS

if TYPE_CHECKING:
    from codex_host.config.effective import EffectiveConfig
    from codex_host.plugins.import_marks import ImportMark
    from codex_host.plugins.ledger import Ledger
    from codex_host.plugins.manifest import FoundPlugin
    from codex_host.plugins.registry import Registry


ON_DEMAND = frozenset(("cli_commands", "doctor_checks", "model_provider", "sandbox_launcher"))
"""Hooks that most runs never ask for: a plugin of ours that has no others is imported when one of them is wanted."""

HANG_SECONDS = 5.0
"""An import that a person interrupts after that long counts as one that took the program down."""


def load_plugins(
    registry: Registry, ledger: Ledger, *, config: EffectiveConfig, home: str, no_plugins: bool = False
) -> list[str]:
    """Load every admitted plugin, in order of name, each on its own.

    :param no_plugins: leave third-party plugins out.
    :return: warnings for the user.
    """
    warnings: list[str] = []
    plugins = found_plugins(home)
    admission = Admission(config=config, home=home, ledger=ledger, no_plugins=no_plugins)
    registry.statuses.update(admission.admit_all(plugins))
    for plugin in plugins:
        if plugin.name in admission.contents and registry.statuses[plugin.name].state == "loaded":
            from codex_host.plugins.guarded_import import IMPORTS

            IMPORTS.add(plugin.name, plugin.value, admission.contents[plugin.name])
    mark = _mark(home) if any(registry.statuses[name].state == "loaded" for name in admission.contents) else None
    try:
        for plugin in plugins:
            _load_now_or_later(plugin, registry, ledger, mark)
    finally:
        if mark is not None:
            mark.close()
    for plugin in plugins:
        status = registry.statuses[plugin.name]
        if status.state not in ("loaded", "disabled") and not status.expected:
            warnings.append(status.warning)
        elif status.state == "loaded" and status.quarantined:
            warnings.append(status.quarantine)
        warnings += (f"plugin {plugin.name}: {slip}" for slip in status.slips)
    return warnings


def _mark(home: str) -> ImportMark:
    from codex_host.plugins.import_marks import ImportMark

    return ImportMark(home)


def _load_now_or_later(plugin: FoundPlugin, registry: Registry, ledger: Ledger, mark: ImportMark | None) -> None:
    status = registry.statuses[plugin.name]
    if status.state == "loaded" and status.first_party and status.hooks and ON_DEMAND.issuperset(status.hooks):
        registry.deferred[plugin.name] = (frozenset(status.hooks), partial(_load, plugin, registry, ledger))
    elif status.state == "loaded":
        _load(plugin, registry, ledger, None if status.first_party else mark)


def _load(plugin: FoundPlugin, registry: Registry, ledger: Ledger, mark: ImportMark | None = None) -> None:
    """Import and register a plugin, whatever that brings.

    :param mark: names it meanwhile, if it is a third party's.
    :raises KeyboardInterrupt: when the program was told to end.
    """
    status = registry.statuses[plugin.name]
    started = time.perf_counter()
    remember_plugin(plugin.value, plugin.name)
    if mark is not None:
        mark.begin(plugin.name, plugin.version)
    try:
        # What a plugin prints while it is imported must not get into machine-readable output.
        with output_to_stderr():
            loaded = imported(plugin.value)
            # A gate is missed also when it is refused here and the manifest is silent about it.
            found = dict(implementations(loaded))
            status.hooks = tuple({*status.hooks, *found})
            status.hooks = registry.register(loaded, plugin.name)
            marks = {hook: made for hook, function in found.items() if (made := mark_of(options_of(function) or {}))}
            if mark is not None and plugin.manifest is not None:
                status.slips = [*registry.slips(loaded, plugin.manifest), *registry.in_vain(status.hooks)]
        SIGNALS.check()
    except BaseException as error:
        told_to_end = bool(SIGNALS.received) or SIGNALS.interrupted(error)
        if mark is not None and not (told_to_end and time.perf_counter() - started > HANG_SECONDS):
            mark.over()
        if told_to_end:  # An interruption often looks like a failure of what was being imported.
            raise KeyboardInterrupt from error
        from codex_host.plugins.import_errors import reason_of

        status.state = "failed"
        status.detail = str(error) if isinstance(error, HookSpecError) else reason_of(error)
        status.remedy = f"codex plugins doctor {plugin.name}"
        ledger.load_failed(plugin.name, status.detail, version=status.version)
        return
    finally:
        SIGNALS.restore()
    if mark is not None:
        mark.over()
    ledger.loaded(plugin.name, (time.perf_counter() - started) * 1000, marks)


def imported(value: str) -> object:
    """Import what an entry point names."""
    module, _, attribute = value.partition(":")
    loaded = import_module(module)
    for name in attribute.split(".") if attribute else ():
        loaded = getattr(loaded, name)
    return loaded
