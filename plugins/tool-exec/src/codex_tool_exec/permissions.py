"""What calls ask for beyond the sandbox policy, and what users have granted (forms of Codex 0.118)."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import Any

from codex_hookspecs.protocol import JsonObject
from codex_hookspecs.sandbox import AdditionalPermissions, FileAccess, MacosExtensions
from codex_tool_exec.additional import intersect, normalize
from codex_tool_exec.macos import bundle_ids

_SWITCHES = ("launch_services", "accessibility", "calendar", "reminders")
_RANKS = ("none", "read_only", "read_write")


def covers(granted: AdditionalPermissions | None, wanted: AdditionalPermissions) -> bool:
    """Tell whether all that is wanted was granted, path by path."""
    return granted is not None and intersect(wanted, granted) == wanted


def read_additional(value: JsonObject, cwd: str, canonical: Callable[[str], str]) -> AdditionalPermissions:
    """Return what a call asks for; relative paths are joined to its directory.

    :param value: the object ``additional_permissions``, whose form was checked.
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


def read_grant(value: object, wanted: AdditionalPermissions) -> AdditionalPermissions:
    """Return what of a request a client granted.

    :param value: ``permissions`` of its answer.
    """
    found = value if isinstance(value, dict) else {}
    network, files = found.get("network"), found.get("fileSystem")
    granted = AdditionalPermissions(
        network=True if isinstance(network, dict) and network.get("enabled") is True else None,
        file_system=FileAccess(_paths(files, "read"), _paths(files, "write")) or None,
        macos=wanted.macos if found.get("macos") else None,
    )
    return intersect(wanted, granted)


def shown(wanted: AdditionalPermissions | None, *, files: str = "fileSystem") -> JsonObject:
    """Return what is wanted, for clients; for the model the files are called ``file_system``."""
    wanted = wanted or AdditionalPermissions()
    access = wanted.file_system
    found: JsonObject = {
        "network": {"enabled": True} if wanted.network else None,
        files: None if access is None else {"read": list(access.read) or None, "write": list(access.write) or None},
    }
    if wanted.macos is not None:
        extensions = wanted.macos
        automation = extensions.automation
        found["macos"] = {
            "preferences": extensions.preferences,
            "automations": automation if isinstance(automation, str) else {"bundle_ids": list(automation)},
            **{switch: getattr(extensions, switch) for switch in _SWITCHES},
            "contacts": extensions.contacts,
        }
    return found


def _paths(files: object, key: str) -> tuple[str, ...]:
    found = files.get(key) if isinstance(files, dict) else None
    return tuple(path for path in found if isinstance(path, str)) if isinstance(found, list) else ()


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
        **{switch: value.get(switch) is True for switch in _SWITCHES},
    )
