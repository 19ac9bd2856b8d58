"""Permissions of single tool calls beyond the sandbox policy (permission profile of Codex 0.118)."""

from __future__ import annotations

from typing import Literal, TypeAlias

from attrs import field

from codex_hookspecs.values import frozen

Preferences = Literal["none", "read_only", "read_write"]
Automation: TypeAlias = "Literal['none', 'all'] | tuple[str, ...]"
"""Nothing, everything, or bundle ids of the applications that may be automated."""


@frozen(kw_only=True)
class MacosExtensions:
    """Permissions for services of macOS.

    :param preferences: the user's preferences may be read, or written.
    :param automation: applications that may be automated by Apple events.
    :param launch_services: applications may be started.
    :param accessibility: the accessibility service may be used.
    :param calendar: calendars may be used.
    :param reminders: reminders may be used.
    :param contacts: contacts may be read, or written.
    """

    preferences: Preferences = "read_only"
    automation: Automation = "none"
    launch_services: bool = False
    accessibility: bool = False
    calendar: bool = False
    reminders: bool = False
    contacts: Preferences = "none"


@frozen
class FileAccess:
    """Absolute paths that a call requests to read and to write.

    :param read: paths to read.
    :param write: paths to write.
    """

    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Return whether anything is requested."""
        return bool(self.read or self.write)


@frozen(kw_only=True)
class AdditionalPermissions:
    """Permissions that a call requests beyond the policy (permission profile of Codex 0.118).

    :param network: network access; ``None`` if not specified.
    :param file_system: paths beyond the policy, or ``None``.
    :param macos: services of macOS, or ``None``.
    """

    network: bool | None = None
    file_system: FileAccess | None = None
    macos: MacosExtensions | None = field(default=None)

    @property
    def empty(self) -> bool:
        """Whether nothing is requested."""
        return not self.network and not self.file_system and self.macos is None
