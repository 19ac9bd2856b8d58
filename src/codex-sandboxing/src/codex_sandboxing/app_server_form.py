"""The ``SandboxPolicy`` of the app-server protocol v2 (Codex 0.118): words and members in camel case."""

from __future__ import annotations

from codex_hookspecs.errors import RpcError
from codex_hookspecs.types.sandbox import SandboxPolicy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from codex_hookspecs.types.json import JsonObject

_FULL_READ = {"type": "fullAccess"}
_KINDS = ("dangerFullAccess", "readOnly", "externalSandbox", "workspaceWrite")


def read_policy(document: JsonObject) -> SandboxPolicy:
    """Read a policy.

    :raises RpcError: when it is none.
    """
    kind = document.get("type")
    if kind is None:
        raise RpcError("Invalid request: missing field `type`")
    if kind not in _KINDS:
        allowed = ", ".join(f"`{known}`" for known in _KINDS)
        raise RpcError(f"Invalid request: unknown variant `{kind}`, expected one of {allowed}")
    readable, defaults = _read_access(document.get("access") or document.get("readOnlyAccess") or _FULL_READ)
    network = document.get("networkAccess")
    return SandboxPolicy(
        kind,
        network == "enabled" if kind == "externalSandbox" else bool(network),
        writable_roots=_absolute_paths(document.get("writableRoots")),
        exclude_slash_tmp=bool(document.get("excludeSlashTmp")),
        exclude_tmpdir_env_var=bool(document.get("excludeTmpdirEnvVar")),
        readable_roots=readable,
        platform_defaults=defaults,
    )


def write_policy(policy: SandboxPolicy) -> JsonObject:
    """Write a policy; each kind has its own members."""
    document: JsonObject = {"type": policy.kind}
    if policy.kind == "readOnly":
        document |= {"access": _access_document(policy), "networkAccess": policy.network_access}
    elif policy.kind == "externalSandbox":
        document["networkAccess"] = "enabled" if policy.network_access else "restricted"
    elif policy.kind == "workspaceWrite":
        document |= {
            "writableRoots": list(policy.writable_roots),
            "readOnlyAccess": _access_document(policy),
            "networkAccess": policy.network_access,
            "excludeTmpdirEnvVar": policy.exclude_tmpdir_env_var,
            "excludeSlashTmp": policy.exclude_slash_tmp,
        }
    return document


def _read_access(access: Any) -> tuple[tuple[str, ...] | None, bool]:
    kind = access.get("type") if isinstance(access, dict) else None
    if kind == "fullAccess":
        return None, True
    if kind != "restricted":
        raise RpcError(f"Invalid request: unknown read access {access!r}, expected `restricted` or `fullAccess`")
    return _absolute_paths(access.get("readableRoots")), access.get("includePlatformDefaults") is not False


def _absolute_paths(paths: Any) -> tuple[str, ...]:
    found = paths or []
    if not isinstance(found, list) or not all(isinstance(path, str) and path.startswith("/") for path in found):
        raise RpcError("Invalid request: AbsolutePathBuf deserialized without a base path")
    return tuple(found)


def _access_document(policy: SandboxPolicy) -> JsonObject:
    if policy.readable_roots is None:
        return _FULL_READ
    return {
        "type": "restricted",
        "includePlatformDefaults": policy.platform_defaults,
        "readableRoots": list(policy.readable_roots),
    }
