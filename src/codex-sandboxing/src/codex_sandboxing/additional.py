"""Combine what single tool calls ask for beyond the policy: normalise, merge, intersect, apply."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import attrs

from codex_hookspecs.types.grants import AdditionalPermissions, FileAccess
from codex_hookspecs.types.permissions import FileSystemEntry, FileSystemPolicy, Network
from codex_hookspecs.types.sandbox import SandboxPolicy
from codex_sandboxing.macos_extensions import intersect_extensions, merge_extensions
from codex_sandboxing.resolved import normalize_path

T = TypeVar("T")


def normalize(
    wanted: AdditionalPermissions, canonical: Callable[[str], str] = os.path.realpath
) -> AdditionalPermissions:
    """Return the same request with canonical paths, each once, and without empty parts.

    The last part of a path is kept as it is spelled, so that a link itself can be meant.
    """
    files = wanted.file_system
    if files is not None:
        spelled = FileAccess(
            _once(_keep_last(path, canonical) for path in files.read),
            _once(_keep_last(path, canonical) for path in files.write),
        )
        files = spelled or None
    return attrs.evolve(wanted, file_system=files)


def merge(base: AdditionalPermissions | None, extra: AdditionalPermissions | None) -> AdditionalPermissions | None:
    """Return what either asks for; ``None`` when that is nothing."""
    if extra is None:
        return base
    if base is None:
        base = AdditionalPermissions()
    mine, theirs = base.file_system or FileAccess(), extra.file_system or FileAccess()
    merged = AdditionalPermissions(
        network=True if base.network is True or extra.network is True else None,
        file_system=FileAccess(_once(mine.read + theirs.read), _once(mine.write + theirs.write)) or None,
        macos=merge_extensions(base.macos, extra.macos),
    )
    return None if merged.empty else merged


def intersect(requested: AdditionalPermissions, granted: AdditionalPermissions) -> AdditionalPermissions:
    """Return what of a request was granted: equal paths only, the network if both have it; never more than asked."""
    wanted, given = requested.file_system or FileAccess(), granted.file_system or FileAccess()
    files = FileAccess(
        tuple(path for path in wanted.read if path in given.read),
        tuple(path for path in wanted.write if path in given.write),
    )
    return AdditionalPermissions(
        network=True if requested.network is True and granted.network is True else None,
        file_system=files or None,
        macos=intersect_extensions(requested.macos, granted.macos),
    )


def covers(granted: AdditionalPermissions | None, wanted: AdditionalPermissions) -> bool:
    """Tell whether all that is wanted was granted, path by path."""
    return granted is not None and intersect(wanted, granted) == wanted


def effective_file_system(policy: FileSystemPolicy, extra: AdditionalPermissions | None) -> FileSystemPolicy:
    """Return a policy with what was granted in addition; an unrestricted one stays as it is."""
    if policy.kind != "restricted" or extra is None or not extra.file_system:
        return policy
    wanted = [FileSystemEntry(path, "read") for path in extra.file_system.read]
    wanted += [FileSystemEntry(path, "write") for path in extra.file_system.write]
    return FileSystemPolicy(policy.kind, _once((*policy.entries, *wanted)))


def effective_network(policy: Network, extra: AdditionalPermissions | None) -> Network:
    """Return the network policy with what was granted in addition."""
    return "enabled" if policy == "enabled" or (extra is not None and extra.network is True) else "restricted"


def effective_legacy(policy: SandboxPolicy, extra: AdditionalPermissions | None) -> SandboxPolicy:
    """Return a legacy policy with what was granted in addition.

    A read-only policy that gets paths to write becomes a ``workspaceWrite`` one over them, with everything else that
    such a policy allows: the legacy form knows nothing narrower.
    """
    if extra is None or extra.empty or policy.kind == "dangerFullAccess":
        return policy
    network = policy.network_access or extra.network is True
    if policy.kind == "externalSandbox":
        return attrs.evolve(policy, network_access=network)
    files = extra.file_system or FileAccess()
    changes: dict[str, Any] = {"network_access": network}
    if policy.readable_roots is not None:
        changes["readable_roots"] = _once(policy.readable_roots + files.read)
    if policy.kind == "workspaceWrite":
        changes["writable_roots"] = _once(policy.writable_roots + files.write)
    elif files.write:
        changes |= {"kind": "workspaceWrite", "writable_roots": files.write}
    return attrs.evolve(policy, **changes)


def _keep_last(path: str, canonical: Callable[[str], str]) -> str:
    folder, _, name = normalize_path(path).rpartition("/")
    return f"{canonical(folder or '/').rstrip('/')}/{name}"


def _once(values: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(values))
