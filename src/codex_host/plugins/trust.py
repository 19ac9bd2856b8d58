"""Store which third-party plugins the user trusts, with distribution, version and hashes of all files."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from codex_hookspecs.errors import ConfigError, PluginError
from codex_hookspecs.file_reading import read_bytes
from codex_hookspecs.json_text import parse_json
from codex_hookspecs.state_file import locked, replace_file
from codex_host.plugins.contents import contents_of

if TYPE_CHECKING:
    from codex_host.plugins.contents import Contents
    from codex_host.plugins.manifest import FoundPlugin

_MAX_BYTES = 64 * 1024 * 1024
"""Most bytes of the trust file, which lists every file of every trusted plugin."""

_NAMED = 3
"""Most changed files named in a message."""


class TrustStore:
    """Trust decisions of the user, stored in ``plugins/trust.json`` of ``$CODEX_HOME``."""

    def __init__(self, home: str) -> None:
        self._path = os.path.join(home, "plugins", "trust.json")
        self._entries = self._read()

    def objection(self, plugin: FoundPlugin, contents: Contents) -> str | None:
        """Return why a plugin is not trusted, or ``None`` if it is.

        :param contents: its current files.
        """
        entry = self._entries.get(plugin.name)
        if entry is None:
            return "not trusted yet"
        if entry.get("distribution") != plugin.distribution:
            return f"trusted was {entry.get('distribution')}, this is {plugin.distribution}"
        if entry.get("version") != plugin.version:
            return f"version {entry.get('version')} was trusted, this is {plugin.version}"
        trusted = entry.get("files")
        if trusted == contents.names:
            return None
        if not isinstance(trusted, dict):
            return "what was trusted were not all of its files"
        return f"its files changed since it was trusted: {_differences(trusted, contents.names)}"

    def trusted_hooks(self, name: str) -> tuple[str, ...] | None:
        """Return the hooks that a plugin had when it was trusted, ``None`` if it never was."""
        entry = self._entries.get(name)
        if entry is None:
            return None
        hooks = entry.get("hooks")
        return tuple(map(str, hooks)) if isinstance(hooks, list) else ()

    def trust(self, plugin: FoundPlugin) -> str:
        """Trust a plugin with its current files.

        :return: one hash over all files.
        :raises PluginError: when the decision can't be stored.
        """
        contents = contents_of(plugin)
        entry = {
            "distribution": plugin.distribution,
            "version": plugin.version,
            "hooks": list(plugin.manifest.hooks if plugin.manifest else ()),
            "files": contents.names,
        }
        problem = self._change(plugin.name, entry)
        if problem:
            raise PluginError(f"trust can't be kept: {self._path} can't be written: {problem}", plugin=plugin.name)
        return contents.digest

    def distrust(self, name: str) -> bool:
        """Revoke a decision.

        :return: whether the plugin was trusted.
        :raises PluginError: when the change can't be stored.
        """
        found = name in self._entries
        problem = self._change(name, None) if found else ""
        if problem:
            raise PluginError(f"this can't be kept: {self._path} can't be written: {problem}", plugin=name)
        return found

    def _read(self) -> dict[str, Any]:
        try:
            entries = parse_json(read_bytes(self._path, limit=_MAX_BYTES) or b"{}")
        except (ConfigError, ValueError):
            return {}
        kept = entries.items() if isinstance(entries, dict) else ()
        return {name: entry for name, entry in kept if isinstance(entry, dict)}

    def _change(self, name: str, entry: dict[str, Any] | None) -> str:
        """Change one entry of the file.

        :param entry: ``None`` removes it.
        :return: why it can't be written, or the empty string.
        """
        try:
            with locked(self._path):
                self._entries = self._read()
                if entry is None:
                    self._entries.pop(name, None)
                else:
                    self._entries[name] = entry
                replace_file(self._path, json.dumps(self._entries, indent=1))
        except OSError as error:
            return error.strerror or str(error)
        return ""


def _differences(before: dict[str, Any], now: dict[str, str]) -> str:
    """Name the first few files that changed."""
    words = [f"{name} is new" for name in now if name not in before]
    words += [f"{name} is gone" for name in before if name not in now]
    words = [*(name for name in now if name in before and now[name] != before[name]), *words]
    more = f" and {len(words) - _NAMED} more" if len(words) > _NAMED else ""
    return ", ".join(words[:_NAMED]) + more
