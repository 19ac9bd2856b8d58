"""Decode ``additional_permissions`` of calls (form of Codex 0.118)."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import Any

from codex_hookspecs.protocol import JsonObject
from codex_hookspecs.sandbox import AdditionalPermissions, FileAccess, MacosExtensions
from codex_sandboxing.additional import normalize
from codex_sandboxing.additional_form import SWITCHES
from codex_sandboxing.macos_extensions import bundle_ids

_RANKS = ("none", "read_only", "read_write")


def read_additional(value: JsonObject, cwd: str, canonical: Callable[[str], str]) -> AdditionalPermissions:
    """Decode requested permissions; relative paths are joined to the working directory.

    :param value: the object ``additional_permissions``, already checked.
    :param canonical: resolves a path.
    """
    network = (value.get("network") or {}).get("enabled")
    files = value.get("file_system") or {}
    read, write = (tuple(posixpath.join(cwd, path) for path in files.get(key) or ()) for key in ("read", "write"))
    wanted = AdditionalPermissions(
        network=True if network else None,
        file_system=FileAccess(read, write) or None,
        macos=_extensions(value.get("macos")),
    )
    return normalize(wanted, canonical)


def _extensions(value: Any) -> MacosExtensions | None:
    if not isinstance(value, dict):
        return None
    automation = value.get("automations", "none")
    if isinstance(automation, dict):
        automation = automation.get("bundle_ids", [])
    if isinstance(automation, list):
        automation = bundle_ids(name for name in automation if isinstance(name, str))
    preferences, contacts = value.get("preferences", "read_only"), value.get("contacts", "none")
    return MacosExtensions(
        preferences=preferences if preferences in _RANKS else "read_only",
        automation=automation if automation == "all" or isinstance(automation, tuple) else "none",
        contacts=contacts if contacts in _RANKS else "none",
        **{switch: value.get(switch) is True for switch in SWITCHES},
    )
