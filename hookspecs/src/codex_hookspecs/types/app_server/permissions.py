"""Permissions beyond the sandbox policy (app-server protocol v2, 0.118)."""

from __future__ import annotations

from typing import Literal

from codex_hookspecs.types.json import AbsolutePathBuf
from codex_hookspecs.values import frozen


@frozen(kw_only=True)
class AdditionalFileSystemPermissions:
    """Paths that commands may read and write beyond the sandbox policy."""

    read: tuple[AbsolutePathBuf, ...] | None = None
    write: tuple[AbsolutePathBuf, ...] | None = None


@frozen
class AdditionalNetworkPermissions:
    """Network access beyond the sandbox policy."""

    enabled: bool | None = None


@frozen(kw_only=True)
class AdditionalPermissionProfile:
    """Permissions that a command wants beyond the sandbox policy."""

    file_system: AdditionalFileSystemPermissions | None = None
    network: AdditionalNetworkPermissions | None = None


@frozen(kw_only=True)
class RequestPermissionProfile:
    """Permissions that the model asks for."""

    file_system: AdditionalFileSystemPermissions | None = None
    network: AdditionalNetworkPermissions | None = None


@frozen(kw_only=True)
class PermissionsRequestApprovalParams:
    """Parameters of ``item/permissions/requestApproval``.

    :param started_at_ms: milliseconds since the epoch.
    :param cwd: directory of the turn.
    """

    item_id: str
    permissions: RequestPermissionProfile
    thread_id: str
    turn_id: str
    reason: str | None = None
    started_at_ms: int | None = None
    cwd: str | None = None


@frozen(kw_only=True)
class GrantedPermissionProfile:
    """Permissions that the user granted."""

    file_system: AdditionalFileSystemPermissions | None = None
    network: AdditionalNetworkPermissions | None = None


PermissionGrantScope = Literal["turn", "session"]
"""How long granted permissions are valid."""


@frozen(kw_only=True)
class PermissionsRequestApprovalResponse:
    """Result of ``item/permissions/requestApproval``."""

    permissions: GrantedPermissionProfile
    scope: PermissionGrantScope = "turn"
