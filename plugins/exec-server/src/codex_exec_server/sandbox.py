"""Read the sandbox a client wants (objects of the 0.169 protocol) into a policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from codex_exec_server.decoding import (
    REQUIRED,
    Reader,
    described,
    items,
    optional,
    path,
    struct,
    text,
    whole,
    word,
    wrong,
)

if TYPE_CHECKING:
    from codex_hookspecs.sandbox import Permissions, SandboxPolicy
    from codex_sandboxing.resolved import ResolvedPolicy

_SPECIALS = ("root", "minimal", "current_working_directory", "project_roots", "tmpdir", "slash_tmp", "unknown")


class Wanted(NamedTuple):
    """A policy and what it is about.

    :param roots: directories of the project; the cwd when there are none.
    """

    permissions: Permissions
    cwd: str
    roots: tuple[str, ...]

    def resolved(self, environ: Mapping[str, str]) -> ResolvedPolicy:
        """Return what the file system policy means here.

        :param environ: tells where temporary files go.
        :raises ConfigError: when it makes no sense here.
        """
        from codex_sandboxing.resolved import PolicyContext, ResolvedPolicy

        return ResolvedPolicy(self.permissions.file_system, PolicyContext.of(self.cwd, environ, self.roots))

    def legacy(self, resolved: ResolvedPolicy) -> SandboxPolicy:
        """Return the old policy that is nearest."""
        from codex_hookspecs.errors import ConfigError
        from codex_hookspecs.sandbox import SandboxPolicy
        from codex_sandboxing.legacy import to_legacy

        if not resolved.restricted or resolved.full_write:
            return SandboxPolicy("externalSandbox", self.permissions.network == "enabled")
        try:
            return to_legacy(self.permissions, resolved.place)
        except ConfigError:
            return SandboxPolicy("readOnly", self.permissions.network == "enabled")


def read_sandbox(value: Any) -> Wanted | None:
    """Return the policy that an object stands for, ``None`` when it holds nothing back.

    :raises RpcError: when it can't be read.
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
        raise wrong(str(error)) from error
    return None if found.permissions == Permissions(UNRESTRICTED, "enabled") else Wanted(*found)


def everything(cwd: str) -> Wanted:
    """Return the policy that holds nothing back."""
    from codex_hookspecs.sandbox import UNRESTRICTED, Permissions

    return Wanted(Permissions(UNRESTRICTED, "enabled"), cwd, ())


def read_managed_network(value: Any) -> tuple[int, ...]:
    """Return the ports on this machine that a managed network leads to.

    :raises RpcError: when the object can't be read.
    """
    return tuple(_managed_network(value)["loopbackPorts"])


def _profile(value: Any) -> dict[str, Any]:
    """Check a profile in the server's words, as the readers below do with its parts; lists become objects."""
    kind = _tag(value, "ExecPermissionProfile", "managed", "disabled", "external")
    members = {"managed": _managed, "external": _external}.get(kind)
    return {"type": kind, **(members(value) if members is not None else {})}


def _file_system(value: Any) -> dict[str, Any]:
    kind = _tag(value, "ExecManagedFileSystemPermissions", "restricted", "unrestricted")
    if kind == "unrestricted":
        return {"type": kind}
    return {"type": kind, "entries": [entry for entry in _restricted(value)["entries"] if _grants(entry)]}


def _grants(entry: dict[str, Any]) -> bool:
    """Tell whether an entry means anything; a pattern can only deny."""
    return entry["path"]["type"] != "glob_pattern" or entry["access"] in ("deny", "none")


def _where(value: Any) -> dict[str, Any]:
    kind = _tag(value, "ExecFileSystemPath", "path", "glob_pattern", "special")
    return {"type": kind, **{"path": _named, "glob_pattern": _pattern, "special": _special_path}[kind](value)}


def _special(value: Any) -> dict[str, Any]:
    found: dict[str, Any] = _special_members({"kind": value} if isinstance(value, str) else value)
    return found


def _absolute_pattern(value: Any) -> str:
    found = text(value)
    if not found.startswith("/"):
        raise wrong(f"glob pattern `{found}` of the sandbox is not absolute")
    return found


def _tag(value: Any, name: str, *words: str) -> str:
    if not isinstance(value, dict | list):
        shown = f"integer `{value}`" if type(value) is int else described(value)
        raise wrong(f"invalid type: {shown}, expected internally tagged enum {name}")
    if not isinstance(value, dict) or "type" not in value:
        raise wrong("missing field `type`")
    found: str = word(*words)(value["type"])
    return found


_managed_network = struct("ManagedNetworkSandboxContext", {"loopbackPorts": (items(whole), [])})
_network: Reader = word("restricted", "enabled")
_context = struct(
    "WireFileSystemSandboxContext",
    {
        "permissions": (_profile, REQUIRED),
        "cwd": (optional(path), None),
        "workspaceRoots": (optional(items(path)), None),
    },
    elements=10,
)
_external = struct("External", {"network": (_network, REQUIRED)})
_managed = struct("Managed", {"file_system": (_file_system, REQUIRED), "network": (_network, REQUIRED)})
_entry_members = struct(
    "ExecFileSystemSandboxEntry",
    {
        "path": (_where, REQUIRED),
        "access": (word("read", "write", "deny", "none"), REQUIRED),
        "missing_path_behavior": (optional(text), None),
    },
)
_restricted = struct("Restricted", {"entries": (items(_entry_members), REQUIRED)})
_named = struct("Path", {"path": (path, REQUIRED)})
_pattern = struct("GlobPattern", {"pattern": (_absolute_pattern, REQUIRED)})
_special_path = struct("Special", {"value": (_special, REQUIRED)})
_special_members = struct(
    "SpecialPath",
    {"kind": (word(*_SPECIALS), REQUIRED), "subpath": (optional(text), None), "path": (optional(text), None)},
)
