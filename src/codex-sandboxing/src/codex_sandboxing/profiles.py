"""Read permission profiles of the configuration (``[permissions.NAME]``)."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from codex_hookspecs.errors import ConfigError
from codex_hookspecs.types.permissions import (
    Access,
    FileSystemEntry,
    FileSystemPolicy,
    GlobPattern,
    Permissions,
    SpecialPath,
)
from codex_sandboxing.legacy import needs_direct_enforcement, to_legacy
from codex_sandboxing.resolved import PolicyContext
from codex_sandboxing.split_form import read_network

if TYPE_CHECKING:
    from codex_hookspecs.types.permissions import PathSpec, SpecialKind
    from codex_hookspecs.types.sandbox import SandboxPolicy

BUILT_IN = {
    ":read-only": "read-only",
    ":workspace": "workspace-write",
    ":danger-full-access": "danger-full-access",
}
"""Built-in profiles and the sandbox modes that they stand for."""
_ACCESS: dict[str, Access] = {"none": "none", "deny": "none", "read": "read", "write": "write"}
_SPECIAL: dict[str, SpecialKind] = {
    ":root": "root",
    ":minimal": "minimal",
    ":cwd": "current_working_directory",
    ":project_roots": "project_roots",
    ":workspace_roots": "project_roots",
    ":tmpdir": "tmpdir",
    ":slash_tmp": "slash_tmp",
}
_MODES = ("readOnly", "workspaceWrite")


def default_policy(name: str, profiles: Any, cwd: str) -> SandboxPolicy | str:
    """Return the policy, or the mode word, that threads have by default.

    :param name: the profile that ``default_permissions`` names.
    :param profiles: the table ``permissions``.
    :param cwd: working directory of the thread.
    :raises ConfigError: when the profile is wrong, or no sandbox mode expresses it: threads enforce nothing else.
    """
    if name in BUILT_IN:
        return BUILT_IN[name]
    permissions, place = named_profile(name, profiles), PolicyContext.of(cwd, os.environ)
    if not needs_direct_enforcement(permissions, place):
        policy = to_legacy(permissions, place)
        if policy.kind in _MODES and policy.readable_roots is None:
            return policy
    raise ConfigError(
        f"default_permissions names {name!r}, whose rules no sandbox mode expresses; only `codex sandbox` enforces "
        "those, choose a mode with sandbox_mode or --sandbox"
    )


def named_profile(name: str, profiles: Any) -> Permissions:
    """Return what a profile of the configuration says.

    :param profiles: the table ``permissions``.
    :raises ConfigError: when there is none of this name, or it is wrong.
    """
    if not isinstance(profiles, Mapping) or name not in profiles:
        known = ", ".join([*BUILT_IN, *sorted(profiles)] if isinstance(profiles, Mapping) else BUILT_IN)
        raise ConfigError(f"permission profile {name!r} not found; there are: {known}")
    return read_profile(profiles[name], f"permissions.{name}")


def read_profile(table: Any, key: str) -> Permissions:
    """Read a profile of the configuration (``[permissions.NAME]``).

    :param key: where it stands, for errors.
    :raises ConfigError: when it is wrong.
    """
    if not isinstance(table, Mapping):
        raise ConfigError(f"{key} is {table!r}, expected a table")
    entries: list[FileSystemEntry] = []
    files = table.get("filesystem", {})
    if not isinstance(files, Mapping):
        raise ConfigError(f"{key}.filesystem is {files!r}, expected a table")
    for path, access in files.items():
        if isinstance(access, Mapping):
            entries += (_below(path, part, each, key) for part, each in access.items())
        else:
            entries.append(_entry(path, _access(access, f"{key}.filesystem.{path}"), key))
    network = table.get("network", {})
    enabled = network.get("enabled") if isinstance(network, Mapping) else network
    if isinstance(enabled, bool) or enabled is None:
        return Permissions(FileSystemPolicy("restricted", tuple(entries)), "enabled" if enabled else "restricted")
    return Permissions(FileSystemPolicy("restricted", tuple(entries)), read_network(enabled))


def _entry(path: str, access: Access, key: str) -> FileSystemEntry:
    where = _read_where(path)
    if isinstance(where, GlobPattern) and access != "none":
        raise ConfigError(
            f"{key}.filesystem has the pattern {path!r} with access {access}; patterns can be denied only"
        )
    return FileSystemEntry(where, access)


def _below(root: str, part: str, access: Any, key: str) -> FileSystemEntry:
    where = _read_where(root)
    word = _access(access, f"{key}.filesystem.{root}.{part}")
    if isinstance(where, GlobPattern):
        raise ConfigError(f"{key}.filesystem has the pattern {root!r} with paths below it; give the pattern alone")
    if part.startswith("/") or ".." in part.split("/"):
        raise ConfigError(f"{key}.filesystem.{root} has {part!r}; allowed are relative paths without `..`")
    if part == ".":
        return FileSystemEntry(where, word)
    if isinstance(where, SpecialPath):
        if where.kind not in ("project_roots", "current_working_directory"):
            raise ConfigError(f"{key}.filesystem.{root} has {part!r}; only :project_roots and paths can have parts")
        return FileSystemEntry(SpecialPath(where.kind, part), word)
    return FileSystemEntry(f"{where.rstrip('/')}/{part}", word)


def _access(value: Any, key: str) -> Access:
    found = _ACCESS.get(value) if isinstance(value, str) else None
    if found is None:
        raise ConfigError(f"{key} is {value!r}, allowed: none, read, write")
    return found


def _read_where(key: str) -> PathSpec:
    """Read a path of a profile: absolute, ``:root``, ``:project_roots`` … or a pattern.

    :raises ConfigError: when it is relative.
    """
    if key.startswith(":"):
        kind = _SPECIAL.get(key)
        return SpecialPath("unknown", None, key) if kind is None else SpecialPath(kind)
    if not posixpath.isabs(key):
        raise ConfigError(f"a permission profile has the path {key!r}; allowed are absolute paths and names like :root")
    return GlobPattern(key) if any(mark in key for mark in "*?[") else key
