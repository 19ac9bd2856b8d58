"""Additional permissions in the form of the app-server protocol (Codex 0.118)."""

from __future__ import annotations

from codex_hookspecs.types.grants import AdditionalPermissions, FileAccess
from codex_sandboxing.additional import intersect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codex_hookspecs.types.json import JsonObject

SWITCHES = ("launch_services", "accessibility", "calendar", "reminders")
"""What of macOS is either allowed or not."""


def write_additional(wanted: AdditionalPermissions | None, *, files: str = "fileSystem") -> JsonObject:
    """Write what is wanted or granted, for clients.

    :param files: what the member for files is called; for the model ``file_system``.
    """
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
            **{switch: getattr(extensions, switch) for switch in SWITCHES},
            "contacts": extensions.contacts,
        }
    return found


def read_granted(value: object, wanted: AdditionalPermissions) -> AdditionalPermissions:
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


def _paths(files: object, key: str) -> tuple[str, ...]:
    found = files.get(key) if isinstance(files, dict) else None
    return tuple(path for path in found if isinstance(path, str)) if isinstance(found, list) else ()
