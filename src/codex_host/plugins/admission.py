"""Decide which of the installed plugins are loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_host.plugins.registry import PluginStatus

if TYPE_CHECKING:
    from codex_host.config.effective import EffectiveConfig
    from codex_host.plugins.discovery import FoundPlugin
    from codex_host.plugins.ledger import Ledger


def admit(
    plugin: FoundPlugin, *, config: EffectiveConfig, home: str, ledger: Ledger, no_plugins: bool = False
) -> PluginStatus:
    """Return the status a plugin has before it is imported; ``loaded`` means that it is to be."""
    return PluginStatus(
        name=plugin.name,
        version=plugin.version,
        distribution=plugin.distribution,
        first_party=plugin.first_party,
        commands=dict(plugin.manifest.commands) if plugin.manifest else {},
    )
