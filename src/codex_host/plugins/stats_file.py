"""Keep statistics of plugins (load time, calls, failures), and quarantine hooks that fail repeatedly."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from attrs import define, field

from codex_hookspecs.errors import ConfigError
from codex_hookspecs.file_reading import read_bytes
from codex_hookspecs.json_text import parse_json
from codex_hookspecs.state_file import locked, replace_file

QUARANTINE_AFTER = 3
"""Consecutive failures of a plugin's hook, over all runs of the program, after which it is quarantined."""

_WORTH_KEEPING_MS = 20.0
"""Smallest change of a plugin's load time that is written to the file."""
_PATIENCE_SECONDS = 2.0
"""How long to wait at exit for other processes that write the file."""


@define(eq=False, repr=False)
class PluginStats:
    """Statistics of one plugin.

    :param load_ms: duration of import and registration in milliseconds.
    :param total_ms: total duration of its hook calls in milliseconds.
    :param failures: consecutive failures, by hook.
    :param quarantined: reason of the quarantine, by hook.
    :param crash_reason: why it is no longer imported (its import crashed the program), or ``None``.
    :param marks: ``tryfirst`` or ``trylast``, by hook, as its implementations are marked.
    :param shadowed: by hook, its contributions that were shadowed in the last run, with the plugin that shadows each.
    :param load_error: why the last attempt to load it failed, or ``None``.
    """

    load_ms: float = 0.0
    calls: int = 0
    total_ms: float = 0.0
    failures: dict[str, int] = field(factory=dict)
    last_error: str | None = None
    quarantined: dict[str, str] = field(factory=dict)
    load_error: str | None = None
    crash_reason: str | None = None
    marks: dict[str, str] = field(factory=dict)
    shadowed: dict[str, dict[str, str]] = field(factory=dict)


class StatsFile:
    """Statistics of all plugins, persisted in one file.

    :param path: the file, or ``None`` for statistics in memory only.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self._path = path
        self._stats: dict[str, PluginStats] = {}
        self._kept = _read(path) if path else {}
        self._changes: dict[str, dict[str, Any]] = {}

    @classmethod
    def in_home(cls, home: str) -> StatsFile:
        """Return the statistics of ``$CODEX_HOME``."""
        return cls(os.path.join(home, "plugins", "ledger.json"))

    def stats(self, plugin: str) -> PluginStats:
        """Return the statistics of a plugin, created on first use."""
        found = self._stats.get(plugin)
        if found is None:
            found = self._stats[plugin] = PluginStats()
            kept = self._kept.get(plugin, {})
            found.quarantined = _by_hook(kept.get("quarantined"))
            found.failures = dict(kept.get("failures") or {})
            found.load_error = kept.get("load_error")
            found.crash_reason = kept.get("died")
            found.load_ms = kept.get("load_ms", 0.0)
            found.marks = dict(kept.get("marks") or {})
            found.shadowed = dict(kept.get("shadowed") or {})
        return found

    def recorded_version(self, plugin: str) -> str | None:
        """Return the version that a plugin had when its failures were recorded."""
        version: str | None = self._kept.get(plugin, {}).get("version")
        return version

    def record_load(self, plugin: str, load_ms: float, marks: Mapping[str, str] | None = None) -> None:
        """Record that a plugin was loaded, and the duration.

        :param marks: how its implementations are marked, by hook.
        """
        stats = self.stats(plugin)
        if stats.marks != (marks or {}):
            stats.marks = dict(marks or {})
            self._keep(plugin, marks=stats.marks)
        if stats.load_error is not None:
            stats.load_error = None
            self._keep(plugin, load_error=None)
        if not stats.load_ms or abs(load_ms - stats.load_ms) > max(_WORTH_KEEPING_MS, stats.load_ms / 2):
            self._keep(plugin, load_ms=round(load_ms, 2))
        stats.load_ms = load_ms

    def record_load_failure(self, plugin: str, reason: str, *, version: str) -> None:
        """Record why a plugin could not be loaded."""
        stats = self.stats(plugin)
        if stats.load_error != reason or self.recorded_version(plugin) != version:
            stats.load_error = reason
            self._keep(plugin, load_error=reason, version=version)

    def record_crash(self, plugin: str, *, version: str) -> None:
        """Record that the program ended while it imported a plugin."""
        self.stats(plugin).crash_reason = reason = "the program ended while it was imported"
        self._keep(plugin, died=reason, version=version)

    def record_failure(self, plugin: str, hook: str, error: str, *, version: str) -> bool:
        """Record a failure of a hook.

        :return: whether this failure put the hook into quarantine.
        """
        stats = self.stats(plugin)
        stats.last_error = error
        stats.failures[hook] = stats.failures.get(hook, 0) + 1
        self._keep(plugin, failures=dict(stats.failures), version=version)
        if hook in stats.quarantined or stats.failures[hook] < QUARANTINE_AFTER:
            return False
        stats.quarantined[hook] = f"{hook} {error} {QUARANTINE_AFTER}x"
        self._keep(plugin, quarantined=dict(stats.quarantined))
        return True

    def record_shadowed(self, plugin: str, hook: str, names: Mapping[str, str]) -> None:
        """Record which of a plugin's contributions are shadowed.

        :param names: the shadowing plugin, by name of the contribution.
        """
        stats = self.stats(plugin)
        if stats.shadowed.get(hook, {}) != names:
            stats.shadowed[hook] = dict(names)
            self._keep(plugin, shadowed=stats.shadowed)

    def forget_order(self, plugin: str) -> None:
        """Forget how a plugin's implementations are marked and which of its contributions are shadowed."""
        stats = self.stats(plugin)
        if stats.marks or stats.shadowed:
            stats.marks, stats.shadowed = {}, {}
            self._keep(plugin, marks={}, shadowed={})

    def record_success(self, plugin: str, hook: str) -> None:
        """Reset the consecutive failures of a hook."""
        stats = self._stats[plugin]
        if stats.failures.pop(hook, None) is not None:
            self._keep(plugin, failures=dict(stats.failures))

    def end_quarantine(self, plugin: str) -> bool:
        """End a quarantine.

        :return: whether there was one.
        """
        stats = self.stats(plugin)
        found = bool(stats.quarantined) or stats.crash_reason is not None
        if stats.crash_reason is not None:
            stats.crash_reason = None
            self._keep(plugin, died=None)
        if found or stats.failures:
            stats.quarantined.clear()
            stats.failures.clear()
            self._keep(plugin, quarantined={}, failures={})
        return found

    def save(self) -> None:
        """Merge the changes into the file; a directory that can't be written is ignored."""
        if self._path is None or not self._changes:
            return
        with suppress(OSError), locked(self._path, seconds=_PATIENCE_SECONDS):
            kept = _read(self._path)
            for plugin, facts in self._changes.items():
                kept.setdefault(plugin, {}).update(facts)
            replace_file(self._path, json.dumps(kept, indent=1))
        self._changes.clear()

    def _keep(self, plugin: str, **facts: Any) -> None:
        self._kept.setdefault(plugin, {}).update(facts)
        self._changes.setdefault(plugin, {}).update(facts)


def _read(path: str | os.PathLike[str]) -> dict[str, dict[str, Any]]:
    try:
        kept = parse_json(read_bytes(os.fspath(path)) or b"{}")
    except (ConfigError, ValueError):
        return {}
    return {name: facts for name, facts in kept.items() if _sound(facts)} if isinstance(kept, dict) else {}


def _sound(facts: Any) -> bool:
    return (
        isinstance(facts, dict)
        and isinstance(facts.get("load_ms", 0.0), float | int)
        and isinstance(facts.get("load_error"), str | None)
        and isinstance(facts.get("died"), str | None)
        and _is_table(facts.get("failures"), int)
        and _is_table(facts.get("marks"), str)
        and _is_table(facts.get("shadowed"), dict)
        and (isinstance(facts.get("quarantined"), str) or _is_table(facts.get("quarantined"), str))
    )


def _is_table(found: Any, kind: type) -> bool:
    return found is None or (isinstance(found, dict) and all(isinstance(value, kind) for value in found.values()))


def _by_hook(kept: Any) -> dict[str, str]:
    """Return reasons by hook; in the older format one text, which begins with the hook."""
    if isinstance(kept, str):
        return {kept.partition(" ")[0]: kept}
    return dict(kept or {})
