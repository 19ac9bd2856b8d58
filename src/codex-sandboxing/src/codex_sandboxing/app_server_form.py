"""The ``SandboxPolicy`` of the app-server protocol v2 (Codex 0.118): words and members in camel case."""

from __future__ import annotations

from codex_hookspecs.errors import RpcError
from codex_hookspecs.types.sandbox import SandboxPolicy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from codex_hookspecs.types.json import JsonObject

_FULL_READ = {"type": "fullAccess"}
_NETWORK = ("restricted", "enabled")
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
    if kind == "dangerFullAccess":
        return SandboxPolicy(kind)
    if kind == "externalSandbox":
        return SandboxPolicy(kind, _read_network(document) == "enabled")
    readable, defaults = _read_access(document.get("access" if kind == "readOnly" else "readOnlyAccess", _FULL_READ))
    network_access = _flag(document, "networkAccess")
    if kind == "readOnly":
        return SandboxPolicy(kind, network_access, readable_roots=readable, platform_defaults=defaults)
    return SandboxPolicy(
        kind,
        network_access,
        writable_roots=_absolute_paths(document.get("writableRoots", [])),
        exclude_slash_tmp=_flag(document, "excludeSlashTmp"),
        exclude_tmpdir_env_var=_flag(document, "excludeTmpdirEnvVar"),
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
    return _absolute_paths(access.get("readableRoots", [])), _flag(access, "includePlatformDefaults", default=True)


def _read_network(document: JsonObject) -> Any:
    network = document.get("networkAccess", "restricted")
    if network not in _NETWORK:
        allowed = ", ".join(f"`{known}`" for known in _NETWORK)
        raise RpcError(f"Invalid request: networkAccess is {network!r}, expected one of {allowed}")
    return network


def _flag(document: JsonObject, name: str, *, default: bool = False) -> bool:
    value = document.get(name, default)
    if not isinstance(value, bool):
        raise RpcError(f"Invalid request: invalid type: {name} is {value!r}, expected a boolean")
    return value


def _absolute_paths(paths: Any) -> tuple[str, ...]:
    if not isinstance(paths, list) or not all(isinstance(path, str) and path.startswith("/") for path in paths):
        raise RpcError("Invalid request: AbsolutePathBuf deserialized without a base path")
    for path in paths:
        if "\0" in path:
            raise RpcError(f"Invalid request: the path {path!r} contains a NUL byte")
    return tuple(paths)


def _access_document(policy: SandboxPolicy) -> JsonObject:
    if policy.readable_roots is None:
        return _FULL_READ
    return {
        "type": "restricted",
        "includePlatformDefaults": policy.platform_defaults,
        "readableRoots": list(policy.readable_roots),
    }
