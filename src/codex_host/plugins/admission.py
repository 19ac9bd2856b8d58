"""Decide which of the installed plugins are loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_host.features import FeatureSwitches
from codex_host.platform import PLATFORM
from codex_host.plugins.manifest import API
from codex_host.plugins.registry import PluginStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from codex_host.config.effective import EffectiveConfig
    from codex_host.plugins.contents import Contents
    from codex_host.plugins.manifest import FoundPlugin
    from codex_host.plugins.stats_file import StatsFile
    from codex_host.plugins.trust import TrustStore


class Admission:
    """The admission rules, evaluated once per start of the program.

    :param config: ``[plugins.<name>] enabled`` of the user, and the feature ``plugins``.
    :param no_plugins: don't load third-party plugins.
    :ivar contents: files of third-party plugins, by plugin name.
    """

    def __init__(self, *, config: EffectiveConfig, home: str, stats_file: StatsFile, no_plugins: bool = False) -> None:
        table = config.get("plugins", {})
        self._tables = table if isinstance(table, dict) else {}
        self._third_party = FeatureSwitches(config.get("features", {})).enabled("plugins")
        self._home = home
        self._stats_file = stats_file
        self._no_plugins = no_plugins
        self._trust: TrustStore | None = None
        self._checked_for_crashes = False
        self.contents: dict[str, Contents] = {}

    def admit_all(self, plugins: Sequence[FoundPlugin]) -> dict[str, PluginStatus]:
        """Return the status of every plugin by name; a plugin is not loaded when one that it needs is not."""
        statuses = {plugin.name: self.admit(plugin) for plugin in plugins}
        needs = {plugin.name: plugin.manifest.needs for plugin in plugins if plugin.manifest}
        lacking = True
        while lacking:
            lacking = False
            for name, needed in needs.items():
                missing = [each for each in needed if each not in statuses or statuses[each].state != "loaded"]
                if missing and statuses[name].state == "loaded":
                    found = statuses[missing[0]].state if missing[0] in statuses else "not installed"
                    state = "disabled" if found == "disabled" else "incompatible"
                    lacking = _set(statuses[name], state, f"it needs {missing[0]}, which is {found}")
        return statuses

    def admit(self, plugin: FoundPlugin) -> PluginStatus:
        """Return the status of a plugin before its import; ``loaded`` means that it is to be imported."""
        manifest = plugin.manifest
        status = PluginStatus(
            name=plugin.name,
            version=plugin.version,
            distribution=plugin.distribution,
            first_party=plugin.first_party,
            description=manifest.description if manifest else "",
            hooks=manifest.hooks if manifest else (),
            commands=dict(manifest.commands) if manifest else {},
            wordless=manifest.wordless if manifest else (),
            before=manifest.before if manifest else (),
            after=manifest.after if manifest else (),
        )
        for rule in (self._disabled, self._unusable, self._incompatible, self._untrusted, self._crashes_on_import):
            if rule(plugin, status):
                break
        status.trusted = status.state == "loaded" or (
            status.state in ("incompatible", "failed") and self._objection(plugin) is None
        )
        if status.state in ("untrusted", "incompatible") and self._trust is not None:
            # Changing the files of a plugin that implements a gate must not disable the gate silently.
            hooks = self._trust.trusted_hooks(plugin.name)
            status.expected = status.expected and (hooks is None or status.trusted)
            status.trusted = status.trusted or hooks is not None
            status.hooks = tuple(sorted({*status.hooks, *(hooks or ())}))
        status.quarantined = self._quarantined(plugin)
        return status

    def _disabled(self, plugin: FoundPlugin, status: PluginStatus) -> bool:
        entry = self._tables.get(plugin.name)
        enable = f"codex plugins enable {plugin.name}"
        if isinstance(entry, dict) and entry.get("enabled") is False:
            return _set(status, "disabled", "switched off in the configuration", enable)
        if plugin.first_party:
            return False
        if self._no_plugins:
            return _set(status, "disabled", "--no-plugins leaves it out")
        if not self._third_party:
            return _set(status, "disabled", "the feature plugins is off", "codex features enable plugins")
        return False

    def _unusable(self, plugin: FoundPlugin, status: PluginStatus) -> bool:
        return bool(plugin.problem) and _set(status, "incompatible", plugin.problem)

    def _incompatible(self, plugin: FoundPlugin, status: PluginStatus) -> bool:
        manifest = plugin.manifest
        if manifest is None:
            return _set(status, "incompatible", "it has no manifest")
        if manifest.api != API:
            return _set(status, "incompatible", f"written for api {manifest.api} of the contracts, this host has {API}")
        if manifest.platforms and PLATFORM not in manifest.platforms:
            _set(status, "incompatible", f"made for {', '.join(manifest.platforms)}, this is {PLATFORM}")
            status.expected = True
            return True
        return False

    def _untrusted(self, plugin: FoundPlugin, status: PluginStatus) -> bool:
        objection = self._objection(plugin)
        return objection is not None and _set(status, "untrusted", objection, f"codex plugins trust {plugin.name}")

    def _objection(self, plugin: FoundPlugin) -> str | None:
        if plugin.first_party:
            return None
        from codex_host.plugins.contents import contents_of

        if self._trust is None:
            from codex_host.plugins.trust import TrustStore

            self._trust = TrustStore(self._home)
        contents = self.contents[plugin.name] = contents_of(plugin)
        return self._trust.objection(plugin, contents)

    def _crashes_on_import(self, plugin: FoundPlugin, status: PluginStatus) -> bool:
        if plugin.first_party:
            return False
        if not self._checked_for_crashes:
            from codex_host.plugins.import_marks import crashed_imports

            self._checked_for_crashes = True
            for name, version in crashed_imports(self._home):
                self._stats_file.record_crash(name, version=version)
                self._stats_file.save()
        self._reset_for_new_version(plugin)
        died = self._stats_file.stats(plugin.name).crash_reason
        return died is not None and _set(status, "failed", died, f"codex plugins enable {plugin.name}")

    def _reset_for_new_version(self, plugin: FoundPlugin) -> None:
        stats = self._stats_file.stats(plugin.name)
        failed = bool(stats.quarantined or stats.failures or stats.crash_reason)
        if failed and self._stats_file.recorded_version(plugin.name) != plugin.version:
            self._stats_file.end_quarantine(plugin.name)

    def _quarantined(self, plugin: FoundPlugin) -> dict[str, str]:
        stats = self._stats_file.stats(plugin.name)
        self._reset_for_new_version(plugin)
        return dict(stats.quarantined)


def _set(status: PluginStatus, state: str, detail: str, remedy: str = "") -> bool:
    status.state = state  # type: ignore[assignment]
    status.detail = detail
    status.remedy = remedy
    return True
