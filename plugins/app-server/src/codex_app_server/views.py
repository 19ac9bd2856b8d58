"""Show a thread's settings in the protocol's form and read them back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_hookspecs.errors import RpcError
from codex_hookspecs.sandbox import SandboxPolicy

if TYPE_CHECKING:
    from codex_hookspecs.host import LoadedThread
    from codex_hookspecs.protocol import JsonObject, Thread

_FULL_READ = {"type": "fullAccess"}
_KINDS = ("dangerFullAccess", "readOnly", "externalSandbox", "workspaceWrite")


def opened(thread: LoadedThread, summary: Thread) -> JsonObject:
    """Return the answer to ``thread/start``, ``thread/resume`` and ``thread/fork``."""
    settings = thread.settings
    return {
        "thread": summary,
        "model": settings.model,
        "modelProvider": settings.model_provider,
        "serviceTier": settings.service_tier,
        "cwd": settings.cwd,
        "approvalPolicy": settings.approval_policy,
        "approvalsReviewer": settings.approvals_reviewer,
        "sandbox": policy_view(settings.sandbox),
        "reasoningEffort": settings.reasoning_effort,
    }


def policy_view(policy: SandboxPolicy) -> JsonObject:
    """Return a sandbox policy in wire form; each kind has its own members."""
    view: JsonObject = {"type": policy.kind}
    if policy.kind == "readOnly":
        view |= {"access": _FULL_READ, "networkAccess": policy.network_access}
    elif policy.kind == "externalSandbox":
        view["networkAccess"] = "enabled" if policy.network_access else "restricted"
    elif policy.kind == "workspaceWrite":
        view |= {
            "writableRoots": list(policy.writable_roots),
            "readOnlyAccess": _FULL_READ,
            "networkAccess": policy.network_access,
            "excludeTmpdirEnvVar": policy.exclude_tmpdir_env_var,
            "excludeSlashTmp": policy.exclude_slash_tmp,
        }
    return view


def policy_from(view: JsonObject) -> SandboxPolicy:
    """Read a sandbox policy in wire form.

    :raises RpcError: when it is none, or asks for restricted reading, which no launcher offers.
    """
    kind = view.get("type")
    if kind is None:
        raise RpcError("Invalid request: missing field `type`")
    if kind not in _KINDS:
        allowed = ", ".join(f"`{known}`" for known in _KINDS)
        raise RpcError(f"Invalid request: unknown variant `{kind}`, expected one of {allowed}")
    if any((view.get(name) or _FULL_READ).get("type") != "fullAccess" for name in ("access", "readOnlyAccess")):
        raise RpcError("sandboxPolicy: restricted read access is not supported; use `fullAccess`")
    roots = view.get("writableRoots") or []
    if not isinstance(roots, list) or not all(isinstance(root, str) and root.startswith("/") for root in roots):
        raise RpcError("Invalid request: AbsolutePathBuf deserialized without a base path")
    network = view.get("networkAccess")
    return SandboxPolicy(
        kind,
        network == "enabled" if kind == "externalSandbox" else bool(network),
        writable_roots=tuple(roots),
        exclude_slash_tmp=bool(view.get("excludeSlashTmp")),
        exclude_tmpdir_env_var=bool(view.get("excludeTmpdirEnvVar")),
    )
