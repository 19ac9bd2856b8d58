"""Account what each plugin costs and how often it fails, and keep hooks that keep failing out."""

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
"""Failures in a row, in this and earlier runs, of one hook of one plugin after which it is not called any more."""

_WORTH_KEEPING_MS = 20.0
"""Change of a plugin's load time below which no file is written."""
_PATIENCE_SECONDS = 2.0
"""How long the end of the program waits for others that keep accounts."""


@define(eq=False, repr=False)
class Account:
    """What is known of one plugin.

    :param load_ms: time its import and registration took, milliseconds.
    :param total_ms: time its hooks took, milliseconds.
    :param failures: failures in a row, by hook.
    :param quarantined: why hooks are not called any more, by hook.
    :param died: why it is not imported any more: the program did not survive that, or ``None``.
    :param marks: ``tryfirst`` or ``trylast``, by hook, as its implementations are marked.
    :param shadowed: what it offered last that another plugin's counts for: plugin by name, by hook.
    :param load_error: why it could not be loaded the last time that was tried, or ``None``.
    """

    load_ms: float = 0.0
    calls: int = 0
    total_ms: float = 0.0
    failures: dict[str, int] = field(factory=dict)
    last_error: str | None = None
    quarantined: dict[str, str] = field(factory=dict)
    load_error: str | None = None
    died: str | None = None
    marks: dict[str, str] = field(factory=dict)
    shadowed: dict[str, dict[str, str]] = field(factory=dict)


class Ledger:
    """Accounts of all plugins; what outlives the program is kept in one file.

    :param path: the file, or ``None`` to keep nothing.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self._path = path
        self._accounts: dict[str, Account] = {}
        self._kept = _read(path) if path else {}
        self._changes: dict[str, dict[str, Any]] = {}

    @classmethod
    def in_home(cls, home: str) -> Ledger:
        """Return the ledger of ``$CODEX_HOME``."""
        return cls(os.path.join(home, "plugins", "ledger.json"))

    def account(self, plugin: str) -> Account:
        """Return the account of a plugin, made on first use."""
        found = self._accounts.get(plugin)
        if found is None:
            found = self._accounts[plugin] = Account()
            kept = self._kept.get(plugin, {})
            found.quarantined = _by_hook(kept.get("quarantined"))
            found.failures = dict(kept.get("failures") or {})
            found.load_error = kept.get("load_error")
            found.died = kept.get("died")
            found.load_ms = kept.get("load_ms", 0.0)
            found.marks = dict(kept.get("marks") or {})
            found.shadowed = dict(kept.get("shadowed") or {})
        return found

    def kept_version(self, plugin: str) -> str | None:
        """Return the version a plugin had when its failures were kept."""
        version: str | None = self._kept.get(plugin, {}).get("version")
        return version

    def loaded(self, plugin: str, load_ms: float, marks: Mapping[str, str] | None = None) -> None:
        """Note that a plugin was loaded and how long that took.

        :param marks: how its implementations are marked, by hook.
        """
        account = self.account(plugin)
        if account.marks != (marks or {}):
            account.marks = dict(marks or {})
            self._keep(plugin, marks=account.marks)
        if account.load_error is not None:
            account.load_error = None
            self._keep(plugin, load_error=None)
        if not account.load_ms or abs(load_ms - account.load_ms) > max(_WORTH_KEEPING_MS, account.load_ms / 2):
            self._keep(plugin, load_ms=round(load_ms, 2))
        account.load_ms = load_ms

    def load_failed(self, plugin: str, reason: str, *, version: str) -> None:
        """Note why a plugin could not be loaded."""
        account = self.account(plugin)
        if account.load_error != reason or self.kept_version(plugin) != version:
            account.load_error = reason
            self._keep(plugin, load_error=reason, version=version)

    def took_down(self, plugin: str, *, version: str) -> None:
        """Note that the program ended while it imported a plugin."""
        self.account(plugin).died = reason = "the program ended while it was imported"
        self._keep(plugin, died=reason, version=version)

    def failed(self, plugin: str, hook: str, error: str, *, version: str) -> bool:
        """Note a failure.

        :return: whether this one put the hook into quarantine.
        """
        account = self.account(plugin)
        account.last_error = error
        account.failures[hook] = account.failures.get(hook, 0) + 1
        self._keep(plugin, failures=dict(account.failures), version=version)
        if hook in account.quarantined or account.failures[hook] < QUARANTINE_AFTER:
            return False
        account.quarantined[hook] = f"{hook} {error} {QUARANTINE_AFTER}x"
        self._keep(plugin, quarantined=dict(account.quarantined))
        return True

    def shadowed(self, plugin: str, hook: str, names: Mapping[str, str]) -> None:
        """Note which of a plugin's contributions another plugin's count for, now.

        :param names: that plugin by name of the contribution.
        """
        account = self.account(plugin)
        if account.shadowed.get(hook, {}) != names:
            account.shadowed[hook] = dict(names)
            self._keep(plugin, shadowed=account.shadowed)

    def succeeded(self, plugin: str, hook: str) -> None:
        """Note that a hook worked again."""
        account = self._accounts[plugin]
        if account.failures.pop(hook, None) is not None:
            self._keep(plugin, failures=dict(account.failures))

    def release(self, plugin: str) -> bool:
        """End a quarantine.

        :return: whether there was one.
        """
        account = self.account(plugin)
        found = bool(account.quarantined) or account.died is not None
        if account.died is not None:
            account.died = None
            self._keep(plugin, died=None)
        if found or account.failures:
            account.quarantined.clear()
            account.failures.clear()
            self._keep(plugin, quarantined={}, failures={})
        return found

    def save(self) -> None:
        """Write what changed over what other processes wrote; a directory that can't be written is no error."""
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
    """Return reasons by hook; a text, as was kept once, begins with the hook."""
    if isinstance(kept, str):
        return {kept.partition(" ")[0]: kept}
    return dict(kept or {})
