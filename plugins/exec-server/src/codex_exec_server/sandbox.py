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
    from codex_hookspecs.sandbox import (
        Access,
        FileSystemEntry,
        FileSystemPolicy,
        Network,
        PathSpec,
        Permissions,
        SandboxPolicy,
    )
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
    found = _context(value)
    permissions = found["permissions"]
    if permissions is None:
        return None
    roots = tuple(found["workspaceRoots"] or ())
    return Wanted(permissions, found["cwd"] or (roots[0] if roots else "/"), roots)


def everything(cwd: str) -> Wanted:
    """Return the policy that holds nothing back."""
    from codex_hookspecs.sandbox import UNRESTRICTED, Permissions

    return Wanted(Permissions(UNRESTRICTED, "enabled"), cwd, ())


def read_managed_network(value: Any) -> tuple[int, ...]:
    """Return the ports on this machine that a managed network leads to.

    :raises RpcError: when the object can't be read.
    """
    return tuple(_managed_network(value)["loopbackPorts"])


def _profile(value: Any) -> Permissions | None:
    from codex_hookspecs.sandbox import EXTERNAL, Permissions

    kind = _tag(value, "ExecPermissionProfile", "managed", "disabled", "external")
    if kind == "disabled":
        return None
    if kind == "external":
        return Permissions(EXTERNAL, _external(value)["network"])
    found = _managed(value)
    network: Network = found["network"]
    if found["file_system"].kind == "unrestricted" and network == "enabled":
        return None
    return Permissions(found["file_system"], network)


def _file_system(value: Any) -> FileSystemPolicy:
    from codex_hookspecs.sandbox import UNRESTRICTED, FileSystemPolicy

    if _tag(value, "ExecManagedFileSystemPermissions", "restricted", "unrestricted") == "unrestricted":
        return UNRESTRICTED
    return FileSystemPolicy("restricted", tuple(entry for entry in _restricted(value)["entries"] if entry is not None))


def _entry(value: Any) -> FileSystemEntry | None:
    """Read one rule; ``None`` for one that grants nothing, which a pattern can't."""
    from codex_hookspecs.sandbox import FileSystemEntry, GlobPattern

    found = _entry_members(value)
    access: Access = "none" if found["access"] == "deny" else found["access"]
    if isinstance(found["path"], GlobPattern) and access != "none":
        return None
    return FileSystemEntry(found["path"], access, found["missing_path_behavior"] == "skip")


def _where(value: Any) -> PathSpec:
    from codex_hookspecs.sandbox import GlobPattern

    kind = _tag(value, "ExecFileSystemPath", "path", "glob_pattern", "special")
    if kind == "path":
        place: str = _named(value)["path"]
        return place
    if kind == "glob_pattern":
        return GlobPattern(_pattern(value)["pattern"])
    special: PathSpec = _special_path(value)["value"]
    return special


def _special(value: Any) -> PathSpec:
    from codex_hookspecs.sandbox import SpecialPath

    found = _special_members({"kind": value} if isinstance(value, str) else value)
    return SpecialPath(found["kind"], found["subpath"], found["path"])


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
_restricted = struct("Restricted", {"entries": (items(_entry), REQUIRED)})
_entry_members = struct(
    "ExecFileSystemSandboxEntry",
    {
        "path": (_where, REQUIRED),
        "access": (word("read", "write", "deny", "none"), REQUIRED),
        "missing_path_behavior": (optional(text), None),
    },
)
_named = struct("Path", {"path": (path, REQUIRED)})
_pattern = struct("GlobPattern", {"pattern": (_absolute_pattern, REQUIRED)})
_special_path = struct("Special", {"value": (_special, REQUIRED)})
_special_members = struct(
    "SpecialPath",
    {"kind": (word(*_SPECIALS), REQUIRED), "subpath": (optional(text), None), "path": (optional(text), None)},
)
