"""Warn about plugin bundles whose hooks are not run, because bundles are not supported yet."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from codex_hookspecs.errors import ConfigError
from codex_hookspecs.files import read_text
from codex_hookspecs.json_text import parse_json

if TYPE_CHECKING:
    from codex_hookspecs.host import ConfigLayer

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*$")
_MANIFEST = ".codex-plugin/plugin.json"


def unsupported_bundle_warnings(layers: Sequence[ConfigLayer], codex_home: str) -> Iterator[str]:
    """Yield a warning for each enabled bundle that has hooks."""
    for name in dict.fromkeys(name for layer in layers for name in _enabled_bundles(layer)):
        found = _hooks_of(name, codex_home)
        if found is not None:
            yield (
                f"the hooks of the plugin {name} are not run: plugin bundles are not supported yet "
                f"(to run them, copy them from {found} into hooks.json)"
            )


def _enabled_bundles(layer: ConfigLayer) -> Iterator[str]:
    plugins = layer.table.get("plugins")
    if layer.kind == "project" or not isinstance(plugins, Mapping):
        return
    for name, settings in plugins.items():
        if "@" in name and not (isinstance(settings, Mapping) and settings.get("enabled") is False):
            yield name


def _hooks_of(name: str, codex_home: str) -> str | None:
    """Return the file that declares the hooks of an installed bundle."""
    plugin, _, market = name.partition("@")
    if not (_NAME.match(plugin) and _NAME.match(market)):
        return None
    folder = f"{codex_home}/plugins/cache/{market}/{plugin}"
    try:
        versions = sorted(os.listdir(folder))
    except OSError:
        return None
    for version in versions:
        declared = f"{folder}/{version}/hooks/hooks.json"
        if os.path.isfile(declared):
            return declared
        manifest = f"{folder}/{version}/{_MANIFEST}"
        try:
            document = parse_json(read_text(manifest) or "{}")
        except (ConfigError, ValueError):
            continue
        if isinstance(document, dict) and document.get("hooks"):
            return manifest
    return None
