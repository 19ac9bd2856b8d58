"""Convert legacy policies to permissions (the split form) and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_hookspecs.errors import ConfigError
from codex_hookspecs.types.permissions import (
    CWD,
    EXTERNAL,
    MINIMAL,
    ROOT,
    SLASH_TMP,
    TMPDIR,
    UNRESTRICTED,
    FileSystemEntry,
    FileSystemPolicy,
    Network,
    Permissions,
)
from codex_sandboxing.resolved import PolicyContext, ResolvedPolicy, is_below, normalize_path

if TYPE_CHECKING:
    from codex_hookspecs.types.sandbox import SandboxPolicy


def to_split(policy: SandboxPolicy) -> Permissions:
    """Return the permissions that a legacy policy stands for."""
    network: Network = "enabled" if policy.network_access or policy.kind == "dangerFullAccess" else "restricted"
    if policy.kind == "dangerFullAccess":
        return Permissions(UNRESTRICTED, network)
    if policy.kind == "externalSandbox":
        return Permissions(EXTERNAL, network)
    entries = _read_entries(policy)
    if policy.kind == "workspaceWrite":
        entries.append(FileSystemEntry(CWD, "write"))
        if not policy.exclude_slash_tmp:
            entries.append(FileSystemEntry(SLASH_TMP, "write"))
        if not policy.exclude_tmpdir_env_var:
            entries.append(FileSystemEntry(TMPDIR, "write"))
        entries += (FileSystemEntry(root, "write") for root in policy.writable_roots)
    return Permissions(FileSystemPolicy("restricted", tuple(entries)), network)


def to_legacy(permissions: Permissions, place: PolicyContext) -> SandboxPolicy:
    """Return the legacy policy that is nearest to permissions.

    :raises ConfigError: when something outside of the workspace can be written, but the workspace can't.
    """
    from codex_hookspecs.types.sandbox import SandboxPolicy  # attrs is not wanted where only the other way is gone

    network = permissions.network == "enabled"
    file_system = permissions.file_system
    if file_system.kind == "external-sandbox":
        return SandboxPolicy("externalSandbox", network)
    resolved = ResolvedPolicy(file_system, place)
    if file_system.kind == "unrestricted" or resolved.full_write:
        return SandboxPolicy("dangerFullAccess") if network else SandboxPolicy("externalSandbox")
    readable = None if resolved.full_read else tuple(r for r in resolved.readable_roots if r != "/")
    defaults = True if resolved.full_read else resolved.platform_defaults
    cwd = normalize_path(place.cwd)
    writable = resolved.writable_roots
    if not writable:
        if readable is not None:
            readable = tuple(root for root in readable if root != cwd)
        return SandboxPolicy("readOnly", network, readable_roots=readable, platform_defaults=defaults)
    if resolved.access(cwd) != "write":
        raise ConfigError(f"the sandbox policy has no legacy form: {writable[0]} can be written, but {cwd} can't")
    tmpdir = normalize_path(place.tmpdir) if place.tmpdir else None
    extra = tuple(root for root in writable if root not in (cwd, "/tmp", tmpdir))  # noqa: S108
    if readable is not None:
        readable = tuple(root for root in readable if not any(is_below(root, other) for other in writable))
    return SandboxPolicy(
        "workspaceWrite",
        network,
        writable_roots=extra,
        exclude_slash_tmp="/tmp" not in writable,  # noqa: S108
        exclude_tmpdir_env_var=tmpdir not in writable,
        readable_roots=readable,
        platform_defaults=defaults,
    )


def needs_direct_enforcement(permissions: Permissions, place: PolicyContext) -> bool:
    """Tell whether no legacy policy expresses the permissions: converted and converted back they differ."""
    try:
        back = to_split(to_legacy(permissions, place))
    except ConfigError:
        return True
    if back.network != permissions.network:
        return True
    return ResolvedPolicy(back.file_system, place).signature != ResolvedPolicy(permissions.file_system, place).signature


def _read_entries(policy: SandboxPolicy) -> list[FileSystemEntry]:
    if policy.readable_roots is None:
        return [FileSystemEntry(ROOT, "read")]
    entries = [FileSystemEntry(CWD, "read")] if policy.kind == "readOnly" else []
    if policy.platform_defaults:
        entries.append(FileSystemEntry(MINIMAL, "read"))
    return entries + [FileSystemEntry(root, "read") for root in policy.readable_roots]
