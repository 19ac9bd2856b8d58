"""Decide whether a command needs the platform's sandbox, and which one that is."""

from __future__ import annotations

from typing import Literal

from codex_hookspecs.sandboxing.policies import Permissions
from codex_hookspecs.sandboxing.resolution import Place, Resolved

Preference = Literal["auto", "require", "forbid"]
Sandbox = Literal["none", "macos_seatbelt", "linux_seccomp", "windows_restricted_token"]

_PLATFORM: dict[str, Sandbox] = {
    "macos": "macos_seatbelt",
    "linux": "linux_seccomp",
    "windows": "windows_restricted_token",
}
_TAGS: dict[Sandbox, str] = {
    "none": "none",
    "macos_seatbelt": "seatbelt",
    "linux_seccomp": "seccomp",
    "windows_restricted_token": "windows_sandbox",
}
WIRE_TYPES: dict[Sandbox, str] = {
    "none": "none",
    "macos_seatbelt": "macosSeatbelt",
    "linux_seccomp": "linuxSeccomp",
    "windows_restricted_token": "windowsRestrictedToken",
}
"""Names that clients of the exec-server protocol are shown."""


def should_require_platform_sandbox(permissions: Permissions, place: Place, *, managed_network: bool = False) -> bool:
    """Tell whether a policy holds anything back that a sandbox has to enforce.

    :param managed_network: the network goes through a proxy of ours only.
    """
    if managed_network:
        return True
    kind = permissions.file_system.kind
    if permissions.network == "restricted":
        return kind != "external-sandbox"
    return kind == "restricted" and not Resolved(permissions.file_system, place).full_write


def select_sandbox(
    permissions: Permissions,
    place: Place,
    *,
    preference: Preference,
    platform: str,
    windows_sandbox: bool = False,
    managed_network: bool = False,
) -> Sandbox:
    """Return which sandbox a command gets.

    :param platform: ``linux``, ``macos`` or ``windows``.
    :param windows_sandbox: the level of the Windows sandbox is not ``disabled``.
    """
    if preference == "forbid":
        return "none"
    if preference == "auto" and not should_require_platform_sandbox(
        permissions, place, managed_network=managed_network
    ):
        return "none"
    if platform == "windows" and not windows_sandbox:
        return "none"
    return _PLATFORM.get(platform, "none")


def metric_tag(sandbox: Sandbox) -> str:
    """Return the name of a sandbox in metrics."""
    return _TAGS[sandbox]
