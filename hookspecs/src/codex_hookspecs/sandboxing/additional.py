"""Combine what single tool calls ask for beyond the policy: normalise, merge, intersect, apply."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import attrs
from attrs import field

from codex_hookspecs.sandboxing.macos_extensions import MacosExtensions, intersect_extensions, merge_extensions
from codex_hookspecs.sandboxing.policies import Entry, FileSystemPolicy, Network
from codex_hookspecs.sandboxing.resolution import fold
from codex_hookspecs.types.sandbox import SandboxPolicy
from codex_hookspecs.values import frozen

T = TypeVar("T")


@frozen
class FileAccess:
    """Paths that a call wants to read and to write, absolute."""

    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Tell whether anything is asked for."""
        return bool(self.read or self.write)


@frozen(kw_only=True)
class Additional:
    """What a call asks for beyond the policy (permission profile of March 2026).

    :param network: wants the network; ``None`` when it says nothing of it.
    """

    network: bool | None = None
    file_system: FileAccess | None = None
    macos: MacosExtensions | None = field(default=None)

    @property
    def empty(self) -> bool:
        """Whether nothing is asked for."""
        return not self.network and not self.file_system and self.macos is None


def normalize(wanted: Additional, canonical: Callable[[str], str] = os.path.realpath) -> Additional:
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


def merge(base: Additional | None, extra: Additional | None) -> Additional | None:
    """Return what either asks for; ``None`` when that is nothing."""
    if extra is None:
        return base
    if base is None:
        base = Additional()
    mine, theirs = base.file_system or FileAccess(), extra.file_system or FileAccess()
    merged = Additional(
        network=True if base.network is True or extra.network is True else None,
        file_system=FileAccess(_once(mine.read + theirs.read), _once(mine.write + theirs.write)) or None,
        macos=merge_extensions(base.macos, extra.macos),
    )
    return None if merged.empty else merged


def intersect(requested: Additional, granted: Additional) -> Additional:
    """Return what of a request was granted: equal paths only, the network if both have it; never more than asked."""
    wanted, given = requested.file_system or FileAccess(), granted.file_system or FileAccess()
    files = FileAccess(
        tuple(path for path in wanted.read if path in given.read),
        tuple(path for path in wanted.write if path in given.write),
    )
    return Additional(
        network=True if requested.network is True and granted.network is True else None,
        file_system=files or None,
        macos=intersect_extensions(requested.macos, granted.macos),
    )


def effective_file_system(policy: FileSystemPolicy, extra: Additional | None) -> FileSystemPolicy:
    """Return a policy with what was granted in addition; one that holds nothing back stays as it is."""
    if policy.kind != "restricted" or extra is None or not extra.file_system:
        return policy
    wanted = [Entry(path, "read") for path in extra.file_system.read]
    wanted += [Entry(path, "write") for path in extra.file_system.write]
    return FileSystemPolicy(policy.kind, _once((*policy.entries, *wanted)))


def effective_network(policy: Network, extra: Additional | None) -> Network:
    """Return the network policy with what was granted in addition."""
    return "enabled" if policy == "enabled" or (extra is not None and extra.network is True) else "restricted"


def effective_legacy(policy: SandboxPolicy, extra: Additional | None) -> SandboxPolicy:
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
    folder, _, name = fold(path).rpartition("/")
    return f"{canonical(folder or '/').rstrip('/')}/{name}"


def _once(values: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(values))
