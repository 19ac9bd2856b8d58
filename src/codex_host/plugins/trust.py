"""Keep which third-party plugins the user trusts: distribution, version and a hash over its files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codex_hookspecs.errors import PluginError
from codex_hookspecs.file_states import digest_of, files_below
from codex_hookspecs.state_file import replace_file

if TYPE_CHECKING:
    from codex_host.plugins.discovery import FoundPlugin


class TrustStore:
    """The user's decisions, kept in ``plugins/trust.json`` of ``$CODEX_HOME``.

    An entry remembers the state of the files it was computed from, so that an unchanged plugin is not hashed again.
    """

    def __init__(self, home: str) -> None:
        self._path = Path(home, "plugins", "trust.json")
        self._entries = self._read()

    def objection(self, plugin: FoundPlugin) -> str | None:
        """Return why a plugin is not trusted, or ``None`` when it is."""
        entry = self._entries.get(plugin.name)
        if entry is None:
            return "not trusted yet"
        if entry.get("distribution") != plugin.distribution:
            return f"trusted was {entry.get('distribution')}, this is {plugin.distribution}"
        if entry.get("version") != plugin.version:
            return f"version {entry.get('version')} was trusted, this is {plugin.version}"
        files = files_below(plugin.folder)
        if entry.get("states") == files:
            return None
        if entry.get("sha256") != digest_of(plugin.folder, files, seed=plugin.value):
            return "its files changed since it was trusted"
        self._entries[plugin.name]["states"] = files
        self._write()
        return None

    def trust(self, plugin: FoundPlugin) -> str:
        """Trust a plugin as it is now.

        :return: the hash that was recorded.
        :raises PluginError: when the decision can't be kept.
        """
        files = files_below(plugin.folder)
        digest = digest_of(plugin.folder, files, seed=plugin.value)
        self._entries[plugin.name] = {
            "distribution": plugin.distribution,
            "version": plugin.version,
            "sha256": digest,
            "states": files,
        }
        if not self._write():
            raise PluginError(f"trust can't be kept: {self._path} can't be written", plugin=plugin.name)
        return digest

    def distrust(self, name: str) -> bool:
        """Forget a decision.

        :return: whether there was one.
        :raises PluginError: when that can't be kept.
        """
        found = self._entries.pop(name, None) is not None
        if found and not self._write():
            raise PluginError(f"this can't be kept: {self._path} can't be written", plugin=name)
        return found

    def _read(self) -> dict[str, Any]:
        try:
            entries = json.loads(self._path.read_bytes())
        except (OSError, ValueError):
            return {}
        kept = entries.items() if isinstance(entries, dict) else ()
        return {name: entry for name, entry in kept if isinstance(entry, dict)}

    def _write(self) -> bool:
        try:
            replace_file(self._path, json.dumps(self._entries, indent=1))
        except OSError:
            return False
        return True
