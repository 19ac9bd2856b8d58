"""Resolve a thread's settings from the configuration and the client's parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import attrs

from codex_hookspecs.errors import ConfigError
from codex_hookspecs.types.threads import ApprovalPolicy, ThreadSettings
from codex_host.config.schema import APPROVAL_POLICIES
from codex_sandboxing.core_form import configured_policy, sandbox_of

if TYPE_CHECKING:
    from codex_hookspecs.types.lifecycle import PermissionMode
    from codex_hookspecs.types.requests import ThreadResumeParams, ThreadStartParams

DEFAULT_PROVIDER = "openai"


def resolve_settings(
    table: Mapping[str, Any],
    params: ThreadStartParams | ThreadResumeParams,
    *,
    cwd: str,
) -> ThreadSettings:
    """Return the settings of a thread; the client's parameters take precedence over the configuration.

    The model is empty if neither sets one; the provider's default is used then.

    :param table: effective configuration of the directory.
    :param params: the client's parameters.
    :raises ConfigError: when a value is invalid.
    """

    def pick(value: Any, key: str, default: Any = None) -> Any:
        return value if value is not None else table.get(key, default)

    approval = pick(params.approval_policy, "approval_policy", "on-request")
    if approval not in APPROVAL_POLICIES:
        raise ConfigError(f"approval policy {approval!r}, allowed is one of {', '.join(APPROVAL_POLICIES)}")
    if params.sandbox is None:
        sandbox = sandbox_of(table, cwd)
    else:
        sandbox = configured_policy(params.sandbox, table.get("sandbox_workspace_write", {}))
    return ThreadSettings(
        cwd=cwd,
        model=pick(params.model, "model", ""),
        model_provider=pick(params.model_provider, "model_provider", DEFAULT_PROVIDER),
        approval_policy=cast(ApprovalPolicy, approval),
        approvals_reviewer=params.approvals_reviewer or "user",
        sandbox=sandbox,
        reasoning_effort=table.get("model_reasoning_effort"),
        reasoning_summary=table.get("model_reasoning_summary"),
        verbosity=table.get("model_verbosity"),
        personality=pick(params.personality, "personality"),
        service_tier=pick(params.service_tier, "service_tier"),
        base_instructions=params.base_instructions,
        developer_instructions=pick(params.developer_instructions, "developer_instructions"),
        context_window=table.get("model_context_window"),
        overrides=dict(params.config or {}),
    )


def resumed_settings(
    settings: ThreadSettings, stored: Mapping[str, Any], params: ThreadResumeParams, table: Mapping[str, Any]
) -> ThreadSettings:
    """Return the settings of a resumed thread: the stored ones unless the client or a flag overrides them."""
    kept = {
        name: stored[name]
        for name in ("model", "model_provider", "reasoning_effort", "base_instructions")
        if stored.get(name) and getattr(params, name, None) is None and not _from_flags(table, name)
    }
    return attrs.evolve(settings, **kept)


def permission_mode(settings: ThreadSettings) -> PermissionMode:
    """Return the thread's permission mode for hooks."""
    return "bypassPermissions" if settings.approval_policy == "never" else "default"


def _from_flags(table: Mapping[str, Any], name: str) -> bool:
    key = {"reasoning_effort": "model_reasoning_effort"}.get(name, name)
    return key in table
