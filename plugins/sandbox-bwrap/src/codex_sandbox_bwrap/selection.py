"""Choose the policy of ``codex sandbox``: an option, a profile by name, or the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from codex_hookspecs.errors import ConfigError
from codex_hookspecs.sandboxing.documents import network_from, where_from_key
from codex_hookspecs.sandboxing.legacy import to_legacy, to_split
from codex_hookspecs.sandboxing.policies import (
    Access,
    Entry,
    FileSystemPolicy,
    Glob,
    Permissions,
    Special,
)
from codex_hookspecs.sandboxing.resolution import Place
from codex_hookspecs.types.sandbox import SandboxPolicy
from codex_sandbox_bwrap.options import Options

if TYPE_CHECKING:
    from codex_hookspecs.ports.host import Config

_BUILT_IN = {
    ":read-only": "read-only",
    ":workspace": "workspace-write",
    ":danger-full-access": "danger-full-access",
}
_ACCESS: dict[str, Access] = {"none": "none", "deny": "none", "read": "read", "write": "write"}


class Chosen(NamedTuple):
    """A policy in both forms; the old one is as near as it can tell it."""

    policy: SandboxPolicy
    permissions: Permissions


def choose_policy(options: Options, config: Config, cwd: str) -> Chosen:
    """Return the policy that a command line asks for.

    :raises ConfigError: when the profile or the configuration is wrong.
    """
    if options.full_auto:
        return _both(_configured("workspace-write", config))
    name = options.profile
    if name is None and not config.get("sandbox_mode"):
        name = config.get("default_permissions")
    if name is None:
        return _both(_configured(config.get("sandbox_mode", "read-only"), config))
    if name in _BUILT_IN:
        return _both(_configured(_BUILT_IN[name], config))
    profiles = config.get("permissions", {})
    if not isinstance(profiles, Mapping) or name not in profiles:
        known = ", ".join([*_BUILT_IN, *sorted(profiles)] if isinstance(profiles, Mapping) else _BUILT_IN)
        raise ConfigError(f"permission profile {name!r} not found; there are: {known}")
    permissions = read_profile(profiles[name], f"permissions.{name}")
    try:
        legacy = to_legacy(permissions, Place(cwd=cwd))
    except ConfigError:
        legacy = SandboxPolicy("readOnly", permissions.network == "enabled")
    return Chosen(legacy, permissions)


def read_profile(table: Any, key: str) -> Permissions:
    """Read a profile of the configuration (``[permissions.NAME]``).

    :param key: where it stands, for errors.
    :raises ConfigError: when it is wrong.
    """
    if not isinstance(table, Mapping):
        raise ConfigError(f"{key} is {table!r}, expected a table")
    entries: list[Entry] = []
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
    return Permissions(FileSystemPolicy("restricted", tuple(entries)), network_from(enabled))


def _entry(path: str, access: Access, key: str) -> Entry:
    where = where_from_key(path)
    if isinstance(where, Glob) and access != "none":
        raise ConfigError(
            f"{key}.filesystem has the pattern {path!r} with access {access}; patterns can be denied only"
        )
    return Entry(where, access)


def _below(root: str, part: str, access: Any, key: str) -> Entry:
    where = where_from_key(root)
    word = _access(access, f"{key}.filesystem.{root}.{part}")
    if isinstance(where, Glob):
        raise ConfigError(f"{key}.filesystem has the pattern {root!r} with paths below it; give the pattern alone")
    if part.startswith("/") or ".." in part.split("/"):
        raise ConfigError(f"{key}.filesystem.{root} has {part!r}; allowed are relative paths without `..`")
    if part == ".":
        return Entry(where, word)
    if isinstance(where, Special):
        if where.kind not in ("project_roots", "current_working_directory"):
            raise ConfigError(f"{key}.filesystem.{root} has {part!r}; only :project_roots and paths can have parts")
        return Entry(Special(where.kind, part), word)
    return Entry(f"{where.rstrip('/')}/{part}", word)


def _access(value: Any, key: str) -> Access:
    found = _ACCESS.get(value) if isinstance(value, str) else None
    if found is None:
        raise ConfigError(f"{key} is {value!r}, allowed: none, read, write")
    return found


def _configured(mode: str, config: Config) -> SandboxPolicy:
    return SandboxPolicy.configured(mode, config.get("sandbox_workspace_write", {}))


def _both(policy: SandboxPolicy) -> Chosen:
    return Chosen(policy, to_split(policy))
