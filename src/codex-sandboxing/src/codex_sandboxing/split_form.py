"""Policies in their split form: file system and network (Codex 0.118), and whole permission profiles (0.169).

``codex-linux-sandbox`` takes them as ``--file-system-sandbox-policy``, ``--network-sandbox-policy`` and
``--permission-profile``.
"""

from __future__ import annotations

import posixpath

from codex_hookspecs.errors import ConfigError
from codex_hookspecs.types.permissions import (
    EXTERNAL,
    SPECIAL_KINDS,
    UNRESTRICTED,
    FileSystemEntry,
    FileSystemPolicy,
    GlobPattern,
    Permissions,
    SpecialPath,
)
from codex_sandboxing import _checks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from codex_hookspecs.types.json import JsonObject
    from codex_hookspecs.types.permissions import Access, Network, PathSpec

    PathText = Callable[[str], str]
    """Turns a path into its text in a document, or back."""

_WHAT = "the file system policy"
_ACCESS: dict[str, Access] = {"none": "none", "deny": "none", "read": "read", "write": "write"}
_NETWORK: dict[str, Network] = {"restricted": "restricted", "enabled": "enabled"}


def _same(path: str) -> str:
    return path


def read_file_system(document: Any, *, path: PathText = _same) -> FileSystemPolicy:
    """Read a file system policy (tag ``kind``, or ``type`` as profiles have it).

    :param path: returns the path that a text stands for.
    :raises ConfigError: when it is none.
    """
    policy = _checks.mapping(document, _WHAT)
    tag = "type" if "type" in policy and "kind" not in policy else "kind"
    kind = _checks.word(policy, tag, ("restricted", "unrestricted", "external-sandbox"), _WHAT)
    if kind != "restricted":
        return UNRESTRICTED if kind == "unrestricted" else EXTERNAL
    entries = policy.get("entries", [])
    if not isinstance(entries, list):
        raise ConfigError(f"entries of {_WHAT} is {_checks.shown(entries)}, expected a list")
    return FileSystemPolicy("restricted", tuple(_read_entry(entry, path) for entry in entries))


def write_file_system(policy: FileSystemPolicy, *, tag: str = "kind", path: PathText = _same) -> JsonObject:
    """Write a file system policy.

    :param path: returns the text that stands for a path.
    """
    if policy.kind != "restricted":
        return {tag: policy.kind}
    return {tag: policy.kind, "entries": [_entry_document(entry, path) for entry in policy.entries]}


def read_network(document: Any) -> Network:
    """Read a network policy: ``restricted`` or ``enabled``.

    :raises ConfigError: when it is none.
    """
    network = _NETWORK.get(document) if isinstance(document, str) else None
    if network is None:
        raise ConfigError(f"the network policy is {_checks.shown(document)}, allowed: {', '.join(_NETWORK)}")
    return network


def read_profile(document: Any, *, path: PathText = _same) -> Permissions:
    """Read a permission profile (tag ``type``: ``managed``, ``disabled``, ``external``).

    :param path: returns the path that a text stands for.
    :raises ConfigError: when it is none.
    """
    profile = _checks.mapping(document, "the permission profile")
    kind = _checks.word(profile, "type", ("managed", "disabled", "external"), "the permission profile")
    if kind == "disabled":
        return Permissions(UNRESTRICTED, "enabled")
    network = read_network(profile.get("network", "restricted"))
    if kind == "external":
        return Permissions(EXTERNAL, network)
    if "file_system" not in profile:
        raise ConfigError("the permission profile has no `file_system`")
    return Permissions(read_file_system(profile["file_system"], path=path), network)


def write_profile(permissions: Permissions) -> JsonObject:
    """Write a permission profile."""
    kind = permissions.file_system.kind
    if kind == "external-sandbox":
        return {"type": "external", "network": permissions.network}
    if kind == "unrestricted" and permissions.network == "enabled":
        return {"type": "disabled"}
    return write_managed_profile(permissions)


def write_managed_profile(permissions: Permissions, *, path: PathText = _same) -> JsonObject:
    """Write a permission profile as a ``managed`` one, whatever it allows.

    :param path: returns the text that stands for a path.
    """
    return {
        "type": "managed",
        "file_system": write_file_system(permissions.file_system, tag="type", path=path),
        "network": permissions.network,
    }


def _read_entry(document: Any, path: PathText) -> FileSystemEntry:
    what = f"an entry of {_WHAT}"
    entry = _checks.mapping(document, what)
    word = entry.get("access")
    access = _ACCESS.get(word) if isinstance(word, str) else None
    if access is None:
        raise ConfigError(f"{what} has access {_checks.shown(word)}, allowed: none, read, write")
    where = _read_where(entry.get("path"), path)
    if isinstance(where, GlobPattern) and access != "none":
        raise ConfigError(f"pattern {where.pattern!r} of {_WHAT} has access {access}, allowed: none")
    return FileSystemEntry(where, access, entry.get("missing_path_behavior") == "skip")


def _read_where(document: Any, path: PathText) -> PathSpec:
    if isinstance(document, str):
        document = {"type": "path", "path": document}
    where = _checks.mapping(document, "the path of an entry")
    kind = _checks.word(where, "type", ("path", "special", "glob_pattern"), "the path of an entry")
    if kind == "special":
        return _read_special(where.get("value"))
    text = where.get("pattern" if kind == "glob_pattern" else "path")
    found = path(text) if isinstance(text, str) and kind == "path" else text
    if not isinstance(found, str) or not posixpath.isabs(found):
        raise ConfigError(f"a path of {_WHAT} is {_checks.shown(text)}, allowed are absolute paths")
    return GlobPattern(found) if kind == "glob_pattern" else found


def _read_special(document: Any) -> SpecialPath:
    special = _checks.mapping({"kind": document} if isinstance(document, str) else document, "a special path")
    name, subpath, path = special.get("kind"), special.get("subpath"), special.get("path")
    if subpath is not None and not isinstance(subpath, str):
        raise ConfigError(f"the subpath of a special path is {_checks.shown(subpath)}, expected a string")
    for kind in SPECIAL_KINDS:
        if name == kind != "unknown":
            return SpecialPath(kind, subpath)
    return SpecialPath("unknown", subpath, str(name if path is None else path))


def _entry_document(entry: FileSystemEntry, path: PathText) -> JsonObject:
    document: JsonObject = {"path": _where_document(entry.where, path), "access": entry.access}
    if entry.skip_missing:
        document["missing_path_behavior"] = "skip"
    return document


def _where_document(where: PathSpec, path: PathText) -> JsonObject:
    if isinstance(where, GlobPattern):
        return {"type": "glob_pattern", "pattern": where.pattern}
    if isinstance(where, str):
        return {"type": "path", "path": path(where)}
    value: JsonObject = {"kind": where.kind}
    if where.path is not None:
        value["path"] = where.path
    if where.subpath is not None:
        value["subpath"] = where.subpath
    return {"type": "special", "value": value}
