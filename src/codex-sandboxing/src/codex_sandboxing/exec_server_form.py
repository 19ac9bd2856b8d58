"""The ``sandbox`` object of the exec-server protocol (Codex 0.169): a profile, its directories; paths are file URIs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from codex_hookspecs.environments import PathError, path_of, uri_of
from codex_hookspecs.errors import ConfigError
from codex_hookspecs.types.permissions import (
    MINIMAL,
    PROJECT_ROOTS,
    ROOT,
    SLASH_TMP,
    TMPDIR,
    UNRESTRICTED,
    FileSystemEntry,
    FileSystemPolicy,
    Permissions,
    SpecialPath,
)
from codex_sandboxing import _checks
from codex_sandboxing.protected_paths import PROTECTED
from codex_sandboxing.split_form import read_profile, write_managed_profile

if TYPE_CHECKING:
    from codex_hookspecs.types.grants import AdditionalPermissions
    from codex_hookspecs.types.json import JsonObject
    from codex_hookspecs.types.permissions import PathSpec
    from codex_hookspecs.types.sandbox import SandboxPolicy


class SandboxContext(NamedTuple):
    """A policy and the directories that it is about.

    :param cwd: absolute workspace of the policy.
    :param roots: absolute directories of the project; the cwd when there are none.
    """

    permissions: Permissions
    cwd: str
    roots: tuple[str, ...]


def read_context(document: Any) -> SandboxContext:
    """Read a sandbox object.

    :raises ConfigError: when it is none.
    """
    what = "the sandbox"
    context = _checks.mapping(document, what)
    found = context.get("workspaceRoots") or []
    if not isinstance(found, list):
        raise ConfigError(f"workspaceRoots of {what} is {_checks.shown(found)}, expected a list of file URIs")
    roots = tuple(_read_path(root) for root in found)
    cwd = context.get("cwd")
    return SandboxContext(
        read_profile(context.get("permissions"), path=_read_path),
        _read_path(cwd) if cwd is not None else roots[0] if roots else "/",
        roots,
    )


def write_context(policy: SandboxPolicy, cwd: str, additional: AdditionalPermissions | None = None) -> JsonObject:
    """Write the sandbox object of a policy, which the server enforces for its own machine.

    :param cwd: absolute workspace of the policy.
    :param additional: what is allowed beyond it.
    """
    roots = [cwd, *policy.writable_roots] if policy.kind == "workspaceWrite" else [cwd]
    network = policy.network_access or bool(additional and additional.network)
    permissions = Permissions(_file_system(policy, additional), "enabled" if network else "restricted")
    return {
        "permissions": write_managed_profile(permissions, path=uri_of),
        "cwd": uri_of(cwd),
        "workspaceRoots": [uri_of(root) for root in dict.fromkeys(roots)],
        "windowsSandboxLevel": "disabled",
        "windowsSandboxProxySettingsMode": "reconcile",
        "useLegacyLandlock": False,
    }


def _file_system(policy: SandboxPolicy, additional: AdditionalPermissions | None) -> FileSystemPolicy:
    if policy.unrestricted:
        return UNRESTRICTED
    entries = [*_readable(policy), *(_writable(policy) if policy.kind == "workspaceWrite" else ())]
    if additional is not None and additional.file_system is not None:
        entries += (FileSystemEntry(path, "read") for path in additional.file_system.read)
        entries += (FileSystemEntry(path, "write") for path in additional.file_system.write)
    return FileSystemPolicy("restricted", tuple(entries))


def _readable(policy: SandboxPolicy) -> list[FileSystemEntry]:
    if policy.readable_roots is None:
        return [FileSystemEntry(ROOT, "read")]
    wheres: list[PathSpec] = [MINIMAL] if policy.platform_defaults else []
    wheres += (PROJECT_ROOTS, *policy.readable_roots)
    return [FileSystemEntry(where, "read") for where in wheres]


def _writable(policy: SandboxPolicy) -> list[FileSystemEntry]:
    entries = [FileSystemEntry(PROJECT_ROOTS, "write")]
    if not policy.exclude_slash_tmp:
        entries.append(FileSystemEntry(SLASH_TMP, "write"))
    if not policy.exclude_tmpdir_env_var:
        entries.append(FileSystemEntry(TMPDIR, "write"))
    entries += (FileSystemEntry(root, "write") for root in policy.writable_roots)
    protected = (SpecialPath("project_roots", name) for name in PROTECTED)
    return entries + [FileSystemEntry(where, "read", skip_missing=True) for where in protected]


def _read_path(value: Any) -> str:
    try:
        return path_of(value)
    except (PathError, TypeError, AttributeError) as error:
        raise ConfigError(f"a path of the sandbox is {_checks.shown(value)}, expected a file URI") from error
