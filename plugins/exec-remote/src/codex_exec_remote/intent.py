"""Say which sandbox a process needs (objects of the 0.169 exec-server protocol); the server builds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_hookspecs.environments import ExecParams, uri_of
from codex_hookspecs.protocol import JsonObject
from codex_hookspecs.sandbox import SandboxPolicy

if TYPE_CHECKING:
    from codex_hookspecs.sandbox import AdditionalPermissions

_PROTECTED = (".git", ".agents", ".codex", ".aws")


def sandbox_object(params: ExecParams) -> JsonObject | None:
    """Return the object that stands for a process's policy, ``None`` when nothing has to be held back."""
    if params.sandbox is None or not params.sandbox.needs_sandbox:
        return None
    return policy_object(params.sandbox, params.sandbox_cwd or params.cwd, params.additional)


def policy_object(policy: SandboxPolicy, cwd: str, more: AdditionalPermissions | None = None) -> JsonObject:
    """Return the object that stands for a policy.

    :param cwd: workspace of the policy.
    :param more: what is allowed beyond it.
    """
    roots = [cwd, *policy.writable_roots] if policy.kind == "workspaceWrite" else [cwd]
    return {
        "permissions": {
            "type": "managed",
            "file_system": _file_system(policy, more),
            "network": "enabled" if policy.network_access or (more and more.network) else "restricted",
        },
        "cwd": uri_of(cwd),
        "workspaceRoots": [uri_of(root) for root in dict.fromkeys(roots)],
        "windowsSandboxLevel": "disabled",
        "windowsSandboxProxySettingsMode": "reconcile",
        "useLegacyLandlock": False,
    }


def _file_system(policy: SandboxPolicy, more: AdditionalPermissions | None) -> JsonObject:
    if policy.unrestricted:
        return {"type": "unrestricted"}
    entries = _entries(policy)
    if more is not None and more.file_system is not None:
        entries += [_path(path, "read") for path in more.file_system.read]
        entries += [_path(path, "write") for path in more.file_system.write]
    return {"type": "restricted", "entries": entries}


def _entries(policy: SandboxPolicy) -> list[JsonObject]:
    entries = []
    if policy.readable_roots is None:
        entries.append(_special("root", "read"))
    else:
        entries += [_special("minimal", "read")] if policy.platform_defaults else []
        entries.append(_special("project_roots", "read"))
        entries += [_path(root, "read") for root in policy.readable_roots]
    if policy.kind != "workspaceWrite":
        return entries
    entries.append(_special("project_roots", "write"))
    if not policy.exclude_slash_tmp:
        entries.append(_special("slash_tmp", "write"))
    if not policy.exclude_tmpdir_env_var:
        entries.append(_special("tmpdir", "write"))
    entries += [_path(root, "write") for root in policy.writable_roots]
    for name in _PROTECTED:
        entries.append({**_special("project_roots", "read", subpath=name), "missing_path_behavior": "skip"})
    return entries


def _special(kind: str, access: str, **more: str) -> JsonObject:
    return {"path": {"type": "special", "value": {"kind": kind, **more}}, "access": access}


def _path(path: str, access: str) -> JsonObject:
    return {"path": {"type": "path", "path": uri_of(path)}, "access": access}
