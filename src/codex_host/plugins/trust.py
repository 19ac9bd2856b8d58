"""Keep which third-party plugins the user trusts: distribution, version and a hash over its files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codex_hookspecs.errors import ConfigError, PluginError
from codex_hookspecs.file_reading import read_bytes
from codex_hookspecs.file_states import digest_of, files_below
from codex_hookspecs.json_text import parse_json
from codex_hookspecs.state_file import locked, replace_file

if TYPE_CHECKING:
    from codex_host.plugins.discovery import FoundPlugin

_MOST_BYTES = 64 * 1024 * 1024
"""The file lists every file of every trusted plugin."""


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
        self._change(plugin.name, {**entry, "states": files}, instead_of=entry)
        return None

    def trust(self, plugin: FoundPlugin) -> str:
        """Trust a plugin as it is now.

        :return: the hash that was recorded.
        :raises PluginError: when the decision can't be kept.
        """
        files = files_below(plugin.folder)
        digest = digest_of(plugin.folder, files, seed=plugin.value)
        entry = {
            "distribution": plugin.distribution,
            "version": plugin.version,
            "sha256": digest,
            "states": files,
        }
        problem = self._change(plugin.name, entry)
        if problem:
            raise PluginError(f"trust can't be kept: {self._path} can't be written: {problem}", plugin=plugin.name)
        return digest

    def distrust(self, name: str) -> bool:
        """Forget a decision.

        :return: whether there was one.
        :raises PluginError: when that can't be kept.
        """
        found = name in self._entries
        problem = self._change(name, None) if found else ""
        if problem:
            raise PluginError(f"this can't be kept: {self._path} can't be written: {problem}", plugin=name)
        return found

    def _read(self) -> dict[str, Any]:
        try:
            entries = parse_json(read_bytes(str(self._path), limit=_MOST_BYTES) or b"{}")
        except (ConfigError, ValueError):
            return {}
        kept = entries.items() if isinstance(entries, dict) else ()
        return {name: entry for name, entry in kept if isinstance(entry, dict)}

    def _change(self, name: str, entry: dict[str, Any] | None, *, instead_of: dict[str, Any] | None = None) -> str:
        """Change one entry among those that are there by now.

        :param entry: ``None`` takes it away.
        :param instead_of: change nothing unless the entry is this one still.
        :return: why that can't be kept, or the empty string.
        """
        try:
            with locked(self._path):
                self._entries = self._read()
                if instead_of is not None and self._entries.get(name) != instead_of:
                    return ""
                if entry is None:
                    self._entries.pop(name, None)
                else:
                    self._entries[name] = entry
                replace_file(self._path, json.dumps(self._entries, indent=1))
        except OSError as error:
            return error.strerror or str(error)
        return ""
