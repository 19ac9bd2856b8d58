"""Account what each plugin costs and how often it fails, and keep plugins that keep failing out."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from attrs import define, field

QUARANTINE_AFTER = 3
"""Failures of one hook of one plugin after which the plugin is not called any more."""


@define
class Account:
    """What is known of one plugin.

    :param load_ms: time its import and registration took, milliseconds.
    :param total_ms: time its hooks took, milliseconds.
    :param failures: failures in a row, by hook.
    :param quarantined: why it is not called any more, or ``None``.
    """

    load_ms: float = 0.0
    calls: int = 0
    total_ms: float = 0.0
    failures: dict[str, int] = field(factory=dict)
    last_error: str | None = None
    quarantined: str | None = None


class Ledger:
    """Accounts of all plugins; what outlives the program is kept in one file.

    :param path: the file, or ``None`` to keep nothing.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._accounts: dict[str, Account] = {}
        self._kept: dict[str, Any] = {}
        self._changed = False
        if path is not None:
            self._kept = _read(path)

    @classmethod
    def in_home(cls, home: str) -> Ledger:
        """Return the ledger of ``$CODEX_HOME``."""
        return cls(Path(home, "plugins", "ledger.json"))

    def account(self, plugin: str) -> Account:
        """Return the account of a plugin, made on first use."""
        found = self._accounts.get(plugin)
        if found is None:
            found = self._accounts[plugin] = Account()
            kept = self._kept.get(plugin, {})
            found.quarantined = kept.get("quarantined")
            found.load_ms = kept.get("load_ms", 0.0)
        return found

    def kept_version(self, plugin: str) -> str | None:
        """Return the version a plugin had when it was quarantined."""
        version: str | None = self._kept.get(plugin, {}).get("version")
        return version

    def loaded(self, plugin: str, load_ms: float) -> None:
        """Note how long a plugin took to load."""
        account = self.account(plugin)
        if not account.load_ms or not 0.5 < load_ms / account.load_ms < 2:
            self._kept.setdefault(plugin, {})["load_ms"] = round(load_ms, 2)
            self._changed = True
        account.load_ms = load_ms

    def failed(self, plugin: str, hook: str, error: str, *, version: str) -> bool:
        """Note a failure.

        :return: whether this one put the plugin into quarantine.
        """
        account = self.account(plugin)
        account.last_error = error
        account.failures[hook] = account.failures.get(hook, 0) + 1
        if account.quarantined is not None or account.failures[hook] < QUARANTINE_AFTER:
            return False
        account.quarantined = f"{hook} {error} {QUARANTINE_AFTER}x"
        self._kept.setdefault(plugin, {}).update(quarantined=account.quarantined, version=version)
        self._changed = True
        return True

    def succeeded(self, plugin: str, hook: str) -> None:
        """Note that a hook worked again."""
        self._accounts[plugin].failures.pop(hook, None)

    def release(self, plugin: str) -> bool:
        """End a quarantine.

        :return: whether there was one.
        """
        self.account(plugin).quarantined = None
        self.account(plugin).failures.clear()
        found = self._kept.get(plugin, {}).pop("quarantined", None) is not None
        self._changed = self._changed or found
        return found

    def save(self) -> None:
        """Write what outlives the program, if it changed; a directory that can't be written is no error."""
        if self._path is None or not self._changed:
            return
        self._changed = False
        temporary = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps(self._kept, indent=1), encoding="utf-8")
            temporary.replace(self._path)
        except OSError:
            temporary.unlink(missing_ok=True)


def _read(path: Path) -> dict[str, Any]:
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(kept, dict):
        return {}
    return {name: value for name, value in kept.items() if isinstance(value, dict)}
