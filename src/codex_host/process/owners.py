"""Registry of which plugin each package belongs to."""

from __future__ import annotations

OWNERS: dict[str, str] = {}
"""Plugin by package."""


def register_owner(entry_point: str, plugin: str) -> None:
    """Register the plugin that a package belongs to.

    :param entry_point: e.g. ``package.module:object``.
    """
    OWNERS[entry_point.partition(":")[0].partition(".")[0]] = plugin
