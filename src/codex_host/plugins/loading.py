"""Load the plugins that were admitted."""

from __future__ import annotations

import sys
import time
from importlib import import_module
from typing import TYPE_CHECKING

from codex_host.plugins.admission import Admission
from codex_host.plugins.discovery import found_plugins

if TYPE_CHECKING:
    from codex_host.config.effective import EffectiveConfig
    from codex_host.plugins.discovery import FoundPlugin
    from codex_host.plugins.ledger import Ledger
    from codex_host.plugins.registry import Registry


def load_plugins(
    registry: Registry, ledger: Ledger, *, config: EffectiveConfig, home: str, no_plugins: bool = False
) -> list[str]:
    """Load every admitted plugin, in order of name, each on its own.

    :param no_plugins: leave third-party plugins out.
    :return: warnings for the user.
    """
    warnings: list[str] = []
    admission = Admission(config=config, home=home, ledger=ledger, no_plugins=no_plugins)
    for plugin in found_plugins(home):
        status = admission.admit(plugin)
        registry.statuses[plugin.name] = status
        if status.state == "loaded":
            _load(plugin, registry, ledger)
        if status.state not in ("loaded", "disabled") and not status.expected:
            warnings.append(f"plugin {plugin.name} is {status.state}: {status.detail}{_remedy(status.remedy)}")
    return warnings


def _load(plugin: FoundPlugin, registry: Registry, ledger: Ledger) -> None:
    status = registry.statuses[plugin.name]
    started = time.perf_counter()
    try:
        module, _, attribute = plugin.value.partition(":")
        loaded = import_module(module)
        status.hooks = registry.register(getattr(loaded, attribute) if attribute else loaded, plugin.name)
    except Exception:
        import traceback

        lines = "".join(traceback.format_exception_only(*sys.exc_info()[:2])).strip().splitlines()
        last = traceback.extract_tb(sys.exc_info()[2])[-1]
        status.state = "failed"
        status.detail = f"{' '.join(lines[-3:])} ({last.filename}:{last.lineno})"
        status.remedy = f"codex plugins doctor {plugin.name}"
    ledger.loaded(plugin.name, (time.perf_counter() - started) * 1000)


def _remedy(command: str) -> str:
    return f" (run: {command})" if command else ""
