"""Keep which third-party plugins the user trusts: distribution, version and a hash over its files."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codex_hookspecs.errors import PluginError
from codex_hookspecs.state_file import replace_file

if TYPE_CHECKING:
    from codex_host.plugins.discovery import FoundPlugin

_SKIPPED = ("__pycache__", ".git", ".venv", "node_modules")


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
        files = _files(plugin.folder)
        if entry.get("states") == files:
            return None
        if entry.get("sha256") != _hash(plugin, files):
            return "its files changed since it was trusted"
        self._entries[plugin.name]["states"] = files
        self._write()
        return None

    def trust(self, plugin: FoundPlugin) -> str:
        """Trust a plugin as it is now.

        :return: the hash that was recorded.
        :raises PluginError: when the decision can't be kept.
        """
        files = _files(plugin.folder)
        digest = _hash(plugin, files)
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


def _files(folder: str) -> dict[str, list[int]]:
    """Return modification time and size of every file of a package, by path relative to its folder."""
    states: dict[str, list[int]] = {}
    for directory, names, files in os.walk(folder):
        names[:] = sorted(name for name in names if name not in _SKIPPED)
        for name in sorted(files):
            path = os.path.join(directory, name)
            try:
                found = os.stat(path)
            except OSError:
                continue
            states[os.path.relpath(path, folder)] = [found.st_mtime_ns, found.st_size]
    return states


def _hash(plugin: FoundPlugin, files: dict[str, list[int]]) -> str:
    from hashlib import sha256

    digest = sha256(plugin.value.encode())
    for name in sorted(files):
        try:
            content = Path(plugin.folder, name).read_bytes()
        except OSError:
            content = b""
        digest.update(f"\0{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()
