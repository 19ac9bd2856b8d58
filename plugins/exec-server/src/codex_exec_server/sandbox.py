"""Read the sandbox a client wants (objects of the 0.169 protocol) into a policy, and hold file methods to it."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from codex_exec_server.decoding import described, wrong
from codex_hookspecs.errors import RpcError, SandboxUnavailable
from codex_hookspecs.file_uri import PathError, path_of
from codex_hookspecs.types.sandbox import SandboxPolicy
from codex_hookspecs.writable import is_writable, writable_roots

READ_ONLY = "Read-only file system (os error 30)"
_TYPES = ("managed", "disabled", "external")


class Wanted(NamedTuple):
    """A policy and the directory it is about."""

    policy: SandboxPolicy
    cwd: str


def read_sandbox(value: Any) -> Wanted | None:
    """Return the policy that an object stands for, ``None`` when it holds nothing back.

    :raises RpcError: when it can't be read.
    :raises SandboxUnavailable: when it wants what no policy here can say.
    """
    if value is None:
        return None
    if not isinstance(value, dict):
        raise wrong(f"invalid type: {described(value)}, expected struct WireFileSystemSandboxContext")
    permissions = value.get("permissions")
    if permissions is None:
        raise wrong("missing field `permissions`")
    if not isinstance(permissions, dict):
        raise wrong(f"invalid type: {described(permissions)}, expected internally tagged enum PermissionProfile")
    kind = permissions.get("type")
    if kind not in _TYPES:
        raise wrong(f"unknown variant `{kind}`, expected one of `managed`, `disabled`, `external`")
    if kind != "managed":
        return None
    cwd = _path(value.get("cwd")) or "/"
    try:
        roots = [found for found in map(_path, value.get("workspaceRoots") or ()) if found] or [cwd]
        return _managed(permissions, cwd, roots)
    except (AttributeError, TypeError):
        raise wrong("invalid sandbox: expected permissions with `file_system.entries` of `path` and `access`") from None


def require_writable(wanted: Wanted | None, *paths: str) -> None:
    """Refuse paths that a policy does not let be written.

    :raises RpcError: in the words of a read-only file system.
    """
    if wanted is None:
        return
    temporary = os.environ.get("TMPDIR") or "/tmp"  # noqa: S108
    roots = [os.path.realpath(root) for root in writable_roots(wanted.policy, wanted.cwd, temporary)]
    for path in paths:
        place = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
        if not (is_writable(place, roots) and is_writable(os.path.realpath(path), roots)):
            raise RpcError(READ_ONLY, code=-32603)


def _managed(permissions: dict[str, Any], cwd: str, roots: list[str]) -> Wanted | None:
    system = permissions.get("file_system") or {}
    network = permissions.get("network") == "enabled"
    if system.get("type") == "unrestricted":
        if network:
            return None
        return Wanted(SandboxPolicy("workspaceWrite", writable_roots=("/",)), "/")
    extra: list[str] = []
    kinds = set()
    for entry in system.get("entries") or ():
        access, place = entry.get("access"), entry.get("path") or {}
        if access == "write":
            kinds.add(_writable(place, extra))
        elif access != "read":
            raise SandboxUnavailable(f"the sandbox wants access `{access}` for {place}, which this server can't hold")
    if not kinds:
        return Wanted(SandboxPolicy("readOnly", network), cwd)
    if "root" in kinds:
        extra.append("/")
    project = roots if "project_roots" in kinds else []
    policy = SandboxPolicy(
        "workspaceWrite",
        network,
        writable_roots=tuple(dict.fromkeys([*project[1:], *extra])),
        exclude_slash_tmp="slash_tmp" not in kinds,
        exclude_tmpdir_env_var="tmpdir" not in kinds,
    )
    if not project:
        raise SandboxUnavailable("the sandbox lets directories be written but not the project, which can't be held")
    return Wanted(policy, project[0])


def _writable(place: dict[str, Any], extra: list[str]) -> str:
    if place.get("type") == "path":
        found = _path(place.get("path"))
        if found:
            extra.append(found)
            return "path"
    special = place.get("value")
    special = special if isinstance(special, dict) else {}
    kind = special.get("kind")
    if kind not in ("root", "project_roots", "slash_tmp", "tmpdir") or special.get("subpath"):
        raise SandboxUnavailable(f"the sandbox names a writable place that this server does not know: {place}")
    return str(kind)


def _path(value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    try:
        return path_of(value)
    except PathError as error:
        raise wrong(str(error)) from None
