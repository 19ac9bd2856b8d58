"""Remember which plugin the code of a package belongs to."""

from __future__ import annotations

OWNERS: dict[str, str] = {}
"""Packages, and which plugin each belongs to."""


def remember_plugin(entry_point: str, plugin: str) -> None:
    """Note to which plugin the code of a package belongs.

    :param entry_point: e.g. ``package.module:object``.
    """
    OWNERS[entry_point.partition(":")[0].partition(".")[0]] = plugin
