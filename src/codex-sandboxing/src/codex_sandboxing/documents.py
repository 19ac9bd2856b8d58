"""Read and write policies as JSON: the legacy form, the split form, permission profiles (Codex 0.118 to 0.169)."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Mapping
from typing import Any, cast

from codex_hookspecs.errors import ConfigError
from codex_hookspecs.json_text import parse_json as parse_document
from codex_hookspecs.types.json import JsonObject
from codex_hookspecs.types.permissions import (
    EXTERNAL,
    SPECIAL_KINDS,
    UNRESTRICTED,
    Access,
    FileSystemEntry,
    FileSystemPolicy,
    GlobPattern,
    Network,
    PathSpec,
    Permissions,
    SpecialPath,
)
from codex_hookspecs.types.sandbox import PolicyKind, SandboxPolicy

_KINDS: dict[str, PolicyKind] = {
    "danger-full-access": "dangerFullAccess",
    "read-only": "readOnly",
    "workspace-write": "workspaceWrite",
    "external-sandbox": "externalSandbox",
}
_WORDS = {kind: word for word, kind in _KINDS.items()}
_ACCESS = ("none", "read", "write")
_NETWORK = ("restricted", "enabled")
_SPECIAL_SPELLINGS = {
    ":root": "root",
    ":minimal": "minimal",
    ":cwd": "current_working_directory",
    ":project_roots": "project_roots",
    ":workspace_roots": "project_roots",
    ":tmpdir": "tmpdir",
    ":slash_tmp": "slash_tmp",
}


def parse_json(text: str, what: str) -> Any:
    """Return a decoded document.

    :param what: name of the document for the error.
    :raises ConfigError: when it is no JSON.
    """
    try:
        return parse_document(text)
    except ValueError as error:
        raise ConfigError(f"{what} is not valid JSON: {error}") from error


def legacy_from(document: Any) -> SandboxPolicy:
    """Read a legacy policy (tag ``type``, kebab-case).

    :raises ConfigError: when it is none.
    """
    policy = _object(document, "the sandbox policy")
    kind = _KINDS.get(_word(policy, "type", tuple(_KINDS), "the sandbox policy"))
    assert kind is not None
    if kind == "externalSandbox":
        network = policy.get("network_access", "restricted")
        if network not in _NETWORK:
            raise ConfigError(f"network_access of the sandbox policy is {network!r}, allowed: {', '.join(_NETWORK)}")
        return SandboxPolicy(kind, network == "enabled")
    if kind == "dangerFullAccess":
        return SandboxPolicy(kind)
    readable, defaults = _read_access(policy.get("access" if kind == "readOnly" else "read_only_access"))
    network_access = _flag(policy, "network_access")
    if kind == "readOnly":
        return SandboxPolicy(kind, network_access, readable_roots=readable, platform_defaults=defaults)
    return SandboxPolicy(
        kind,
        network_access,
        writable_roots=_absolute_list(policy, "writable_roots"),
        exclude_slash_tmp=_flag(policy, "exclude_slash_tmp"),
        exclude_tmpdir_env_var=_flag(policy, "exclude_tmpdir_env_var"),
        readable_roots=readable,
        platform_defaults=defaults,
    )


def legacy_document(policy: SandboxPolicy) -> JsonObject:
    """Write a legacy policy with the members that Codex 0.118 writes."""
    document: JsonObject = {"type": _WORDS[policy.kind]}
    if policy.kind == "externalSandbox":
        document["network_access"] = "enabled" if policy.network_access else "restricted"
    if policy.kind == "readOnly":
        if policy.readable_roots is not None:
            document["access"] = _access_document(policy)
        if policy.network_access:
            document["network_access"] = True
    if policy.kind == "workspaceWrite":
        if policy.writable_roots:
            document["writable_roots"] = list(policy.writable_roots)
        if policy.readable_roots is not None:
            document["read_only_access"] = _access_document(policy)
        document["network_access"] = policy.network_access
        document["exclude_tmpdir_env_var"] = policy.exclude_tmpdir_env_var
        document["exclude_slash_tmp"] = policy.exclude_slash_tmp
    return document


def file_system_from(document: Any) -> FileSystemPolicy:
    """Read a split file system policy (tag ``kind``, or ``type`` as profiles have it).

    :raises ConfigError: when it is none.
    """
    what = "the file system policy"
    policy = _object(document, what)
    tag = "type" if "type" in policy and "kind" not in policy else "kind"
    kind = _word(policy, tag, ("restricted", "unrestricted", "external-sandbox"), what)
    if kind != "restricted":
        return UNRESTRICTED if kind == "unrestricted" else EXTERNAL
    entries = policy.get("entries", [])
    if not isinstance(entries, list):
        raise ConfigError(f"entries of {what} is {_shown(entries)}, expected a list")
    return FileSystemPolicy("restricted", tuple(_entry(entry) for entry in entries))


def file_system_document(policy: FileSystemPolicy, *, tag: str = "kind") -> JsonObject:
    """Write a split file system policy."""
    if policy.kind != "restricted":
        return {tag: policy.kind}
    return {tag: policy.kind, "entries": [_entry_document(entry) for entry in policy.entries]}


def network_from(document: Any) -> Network:
    """Read a network policy: ``restricted`` or ``enabled``.

    :raises ConfigError: when it is none.
    """
    if document not in _NETWORK:
        raise ConfigError(f"the network policy is {_shown(document)}, allowed: {', '.join(_NETWORK)}")
    return cast(Network, document)


def profile_from(document: Any) -> Permissions:
    """Read a whole permission profile (tag ``type``: ``managed``, ``disabled``, ``external``).

    :raises ConfigError: when it is none.
    """
    profile = _object(document, "the permission profile")
    kind = _word(profile, "type", ("managed", "disabled", "external"), "the permission profile")
    if kind == "disabled":
        return Permissions(UNRESTRICTED, "enabled")
    network = network_from(profile.get("network", "restricted"))
    if kind == "external":
        return Permissions(EXTERNAL, network)
    if "file_system" not in profile:
        raise ConfigError("the permission profile has no `file_system`")
    return Permissions(file_system_from(profile["file_system"]), network)


def profile_document(permissions: Permissions) -> JsonObject:
    """Write a whole permission profile."""
    kind = permissions.file_system.kind
    if kind == "external-sandbox":
        return {"type": "external", "network": permissions.network}
    if kind == "unrestricted" and permissions.network == "enabled":
        return {"type": "disabled"}
    return {
        "type": "managed",
        "file_system": file_system_document(permissions.file_system, tag="type"),
        "network": permissions.network,
    }


def where_from_key(key: str) -> PathSpec:
    """Read a path as configuration spells it: absolute, ``:root``, ``:project_roots`` … or a pattern.

    :raises ConfigError: when it is relative or not known.
    """
    if key.startswith(":"):
        kind = _SPECIAL_SPELLINGS.get(key)
        if kind is None:
            return SpecialPath("unknown", None, key)
        return SpecialPath(cast(Any, kind))
    if not posixpath.isabs(key):
        raise ConfigError(f"a permission profile has the path {key!r}; allowed are absolute paths and names like :root")
    return GlobPattern(key) if any(mark in key for mark in "*?[") else key


def _entry(document: Any) -> FileSystemEntry:
    entry = _object(document, "an entry of the file system policy")
    access = entry.get("access")
    access = "none" if access == "deny" else access
    if access not in _ACCESS:
        raise ConfigError(f"an entry of the file system policy has access {_shown(access)}, allowed: none, read, write")
    skip = entry.get("missing_path_behavior") == "skip"
    where = _where(entry.get("path"))
    if isinstance(where, GlobPattern) and access != "none":
        raise ConfigError(f"pattern {where.pattern!r} of the file system policy has access {access}, allowed: none")
    return FileSystemEntry(where, cast(Access, access), skip)


def _where(document: Any) -> PathSpec:
    if isinstance(document, str):
        document = {"type": "path", "path": document}
    path = _object(document, "the path of an entry")
    kind = _word(path, "type", ("path", "special", "glob_pattern"), "the path of an entry")
    if kind == "special":
        value = path.get("value")
        special = _object({"kind": value} if isinstance(value, str) else value, "a special path")
        name = special.get("kind")
        subpath = special.get("subpath")
        if subpath is not None and not isinstance(subpath, str):
            raise ConfigError(f"the subpath of a special path is {_shown(subpath)}, expected a string")
        if name not in SPECIAL_KINDS or name == "unknown":
            return SpecialPath("unknown", subpath, str(special.get("path", name)))
        return SpecialPath(name, subpath)
    text = path.get("pattern" if kind == "glob_pattern" else "path")
    if not isinstance(text, str) or not posixpath.isabs(text):
        raise ConfigError(f"a path of the file system policy is {_shown(text)}, allowed are absolute paths")
    return GlobPattern(text) if kind == "glob_pattern" else text


def _entry_document(entry: FileSystemEntry) -> JsonObject:
    where = entry.where
    path: JsonObject
    if isinstance(where, SpecialPath):
        value: JsonObject = {"kind": where.kind}
        if where.path is not None:
            value["path"] = where.path
        if where.subpath is not None:
            value["subpath"] = where.subpath
        path = {"type": "special", "value": value}
    elif isinstance(where, GlobPattern):
        path = {"type": "glob_pattern", "pattern": where.pattern}
    else:
        path = {"type": "path", "path": where}
    document: JsonObject = {"path": path, "access": entry.access}
    if entry.skip_missing:
        document["missing_path_behavior"] = "skip"
    return document


def _read_access(document: Any) -> tuple[tuple[str, ...] | None, bool]:
    if document is None:
        return None, True
    access = _object(document, "read access of the sandbox policy")
    if _word(access, "type", ("full-access", "restricted"), "read access of the sandbox policy") == "full-access":
        return None, True
    defaults = _flag(access, "include_platform_defaults", default=True)
    return _absolute_list(access, "readable_roots"), defaults


def _access_document(policy: SandboxPolicy) -> JsonObject:
    return {
        "type": "restricted",
        "include_platform_defaults": policy.platform_defaults,
        "readable_roots": list(policy.readable_roots or ()),
    }


def _absolute_list(document: Mapping[str, Any], key: str) -> tuple[str, ...]:
    roots = document.get(key)
    if roots is None:
        return ()
    if not isinstance(roots, list) or not all(isinstance(root, str) for root in roots):
        raise ConfigError(f"{key} of the sandbox policy is {_shown(roots)}, expected a list of absolute paths")
    for root in roots:
        if not posixpath.isabs(root):
            raise ConfigError(f"{key} of the sandbox policy has {root!r}, allowed are absolute paths")
    return tuple(roots)


def _flag(document: Mapping[str, Any], key: str, *, default: bool = False) -> bool:
    value = document.get(key, default)
    if not isinstance(value, bool):
        raise ConfigError(f"{key} of the sandbox policy is {_shown(value)}, expected true or false")
    return value


def _object(document: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(document, Mapping):
        raise ConfigError(f"{what} is {_shown(document)}, expected an object")
    return document


def _word(document: Mapping[str, Any], key: str, allowed: tuple[str, ...], what: str) -> str:
    value = document.get(key)
    if value not in allowed:
        found = "missing" if value is None else _shown(value)
        raise ConfigError(f"{key} of {what} is {found}, allowed: {', '.join(allowed)}")
    return str(value)


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."
