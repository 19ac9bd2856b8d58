"""Decode the ``sandbox`` parameter of requests (protocol 0.169)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from codex_exec_server.decoding import (
    REQUIRED,
    Reader,
    describe_value,
    invalid_params,
    optional,
    path,
    sequence,
    string,
    struct,
    unsigned,
    variant,
)

if TYPE_CHECKING:
    from codex_hookspecs.sandbox import Permissions, SandboxPolicy
    from codex_sandboxing.resolved import ResolvedPolicy

_SPECIALS = ("root", "minimal", "current_working_directory", "project_roots", "tmpdir", "slash_tmp", "unknown")


class SandboxRequest(NamedTuple):
    """A sandbox policy and the directories that it refers to.

    :param roots: roots of the project; the cwd when empty.
    """

    permissions: Permissions
    cwd: str
    roots: tuple[str, ...]

    def resolve(self, environ: Mapping[str, str]) -> ResolvedPolicy:
        """Resolve the file system policy to paths of this machine.

        :param environ: variables that name the temporary directory.
        :raises ConfigError: when the policy is not valid on this machine.
        """
        from codex_sandboxing.resolved import PolicyContext, ResolvedPolicy

        return ResolvedPolicy(self.permissions.file_system, PolicyContext.of(self.cwd, environ, self.roots))

    def to_legacy(self, resolved: ResolvedPolicy) -> SandboxPolicy:
        """Return the closest policy of the legacy form, by which launchers are chosen."""
        from codex_hookspecs.errors import ConfigError
        from codex_hookspecs.sandbox import SandboxPolicy
        from codex_sandboxing.legacy import to_legacy

        if not resolved.restricted or resolved.full_write:
            return SandboxPolicy("externalSandbox", self.permissions.network == "enabled")
        try:
            return to_legacy(self.permissions, resolved.place)
        except ConfigError:
            return SandboxPolicy("readOnly", self.permissions.network == "enabled")


def read_sandbox(value: Any) -> SandboxRequest | None:
    """Decode a policy, ``None`` when it restricts nothing.

    :raises RpcError: when the object is invalid.
    """
    if value is None:
        return None
    from codex_hookspecs.errors import ConfigError
    from codex_hookspecs.sandbox import UNRESTRICTED, Permissions
    from codex_sandboxing.exec_server_form import read_context

    document = _context(value)
    try:
        found = read_context(document)
    except ConfigError as error:
        raise invalid_params(str(error)) from error
    return None if found.permissions == Permissions(UNRESTRICTED, "enabled") else SandboxRequest(*found)


def unrestricted_request(cwd: str) -> SandboxRequest:
    """Return a request without restrictions."""
    from codex_hookspecs.sandbox import UNRESTRICTED, Permissions

    return SandboxRequest(Permissions(UNRESTRICTED, "enabled"), cwd, ())


def read_managed_network(value: Any) -> tuple[int, ...]:
    """Decode the loopback ports of a managed network.

    :raises RpcError: when the object is invalid.
    """
    return tuple(_managed_network(value)["loopbackPorts"])


def _profile(value: Any) -> dict[str, Any]:
    """Validate a profile with the error messages of Codex's server; lists of members become objects."""
    kind = _tag(value, "ExecPermissionProfile", "managed", "disabled", "external")
    members = {"managed": _managed, "external": _external}.get(kind)
    return {"type": kind, **(members(value) if members is not None else {})}


def _file_system(value: Any) -> dict[str, Any]:
    kind = _tag(value, "ExecManagedFileSystemPermissions", "restricted", "unrestricted")
    if kind == "unrestricted":
        return {"type": kind}
    return {"type": kind, "entries": [entry for entry in _restricted(value)["entries"] if _grants(entry)]}


def _grants(entry: dict[str, Any]) -> bool:
    """Tell whether an entry has an effect: a glob pattern can only deny."""
    return entry["path"]["type"] != "glob_pattern" or entry["access"] in ("deny", "none")


def _where(value: Any) -> dict[str, Any]:
    kind = _tag(value, "ExecFileSystemPath", "path", "glob_pattern", "special")
    return {"type": kind, **{"path": _named, "glob_pattern": _pattern, "special": _special_path}[kind](value)}


def _special(value: Any) -> dict[str, Any]:
    found: dict[str, Any] = _special_members({"kind": value} if isinstance(value, str) else value)
    return found


def _absolute_pattern(value: Any) -> str:
    found = string(value)
    if not found.startswith("/"):
        raise invalid_params(f"glob pattern `{found}` of the sandbox is not absolute")
    return found


def _tag(value: Any, name: str, *words: str) -> str:
    if not isinstance(value, dict | list):
        shown = f"integer `{value}`" if type(value) is int else describe_value(value)
        raise invalid_params(f"invalid type: {shown}, expected internally tagged enum {name}")
    if not isinstance(value, dict) or "type" not in value:
        raise invalid_params("missing field `type`")
    found: str = variant(*words)(value["type"])
    return found


_managed_network = struct("ManagedNetworkSandboxContext", {"loopbackPorts": (sequence(unsigned), [])})
_network: Reader = variant("restricted", "enabled")
_context = struct(
    "WireFileSystemSandboxContext",
    {
        "permissions": (_profile, REQUIRED),
        "cwd": (optional(path), None),
        "workspaceRoots": (optional(sequence(path)), None),
    },
    elements=10,
)
_external = struct("External", {"network": (_network, REQUIRED)})
_managed = struct("Managed", {"file_system": (_file_system, REQUIRED), "network": (_network, REQUIRED)})
_entry_members = struct(
    "ExecFileSystemSandboxEntry",
    {
        "path": (_where, REQUIRED),
        "access": (variant("read", "write", "deny", "none"), REQUIRED),
        "missing_path_behavior": (optional(string), None),
    },
)
_restricted = struct("Restricted", {"entries": (sequence(_entry_members), REQUIRED)})
_named = struct("Path", {"path": (path, REQUIRED)})
_pattern = struct("GlobPattern", {"pattern": (_absolute_pattern, REQUIRED)})
_special_path = struct("Special", {"value": (_special, REQUIRED)})
_special_members = struct(
    "SpecialPath",
    {"kind": (variant(*_SPECIALS), REQUIRED), "subpath": (optional(string), None), "path": (optional(string), None)},
)
