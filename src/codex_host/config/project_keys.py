"""Decide which keys of a project's configuration take effect; the others are ignored and named in a warning."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from codex_host.config.schema import APPROVAL_CATEGORIES, APPROVAL_POLICIES, SANDBOX_MODES, is_approval_policy

USER_ONLY_KEYS = (
    # trust and review of hooks
    "bypass_hook_trust",
    "ignore_rules",
    "hooks.state",
    "projects",
    # the user's safeguards
    "features.hooks",
    "features.codex_hooks",
    "features.plugin_hooks",
    "features.plugins",
    "hooks.fail_open",
    "hooks.max_stop_blocks",
    "plugins",
    "plugin_order",
    "marketplaces",
    # endpoints that receive the user's credentials, prompts and files
    "model_provider",
    "model_providers",
    "oss_provider",
    "openai_base_url",
    "chatgpt_base_url",
    "experimental_realtime_ws_base_url",
    "experimental_thread_config_endpoint",
    "apps_mcp_product_sku",
    "otel",
    "environment",
    "environments",
    # devices that commands may use
    "sandbox_workspace_write.devices",
    # programs that run outside the sandbox
    "notify",
    # profiles, which can contain any of these keys
    "profile",
    "profiles",
    # credentials and the program's own files
    "cli_auth_credentials_store",
    "forced_chatgpt_workspace_id",
    "forced_login_method",
    "mcp_oauth_callback_port",
    "mcp_oauth_callback_url",
    "mcp_oauth_credentials_store",
    "log_dir",
    "sqlite_home",
)
"""Keys that no project can set; ``docs/configuration.md`` says why."""

_SETTINGS_OF_HOOKS = ("fail_closed", "fail_open", "max_stop_blocks", "state")
_FAIL_CLOSED = "fail_closed"


def restrict(
    table: Mapping[str, Any], below: Mapping[str, Any], *, nested: bool
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the part of a project's configuration that takes effect.

    :param table: content of a ``.codex/config.toml``.
    :param below: effective configuration of the layers below it.
    :param nested: sandboxed commands can write the file.
    :return: the table without the ignored keys, and the names of these.
    """
    kept, ignored = _only_stricter(table, below) if nested else _without_user_only_keys(table, below)
    hooks, lower = kept.get("hooks"), below.get("hooks")
    if isinstance(hooks, dict) and isinstance(hooks.get(_FAIL_CLOSED), list):
        named = lower.get(_FAIL_CLOSED) if isinstance(lower, Mapping) else None
        names = [*(named if isinstance(named, list) else ()), *hooks[_FAIL_CLOSED]]
        kept["hooks"] = {**hooks, _FAIL_CLOSED: [name for at, name in enumerate(names) if name not in names[:at]]}
    return kept, tuple(ignored)


def _without_user_only_keys(table: Mapping[str, Any], below: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    kept, ignored = dict(table), []
    for key in (*USER_ONLY_KEYS, *_user_server_keys(table, below)):
        head, _, last = key.partition(".")
        if not last and head in kept:
            del kept[head]
            ignored.append(key)
        elif isinstance(kept.get(head), dict) and last in kept[head]:
            kept[head] = {name: value for name, value in kept[head].items() if name != last}
            ignored.append(key)
    return kept, ignored


def _user_server_keys(table: Mapping[str, Any], below: Mapping[str, Any]) -> list[str]:
    """Return keys of MCP servers that the user has configured: another address would receive the user's token."""
    theirs, users = table.get("mcp_servers"), below.get("mcp_servers")
    if not isinstance(theirs, dict) or not isinstance(users, Mapping):
        return []
    return [f"mcp_servers.{name}" for name in theirs if name in users]


def _only_stricter(table: Mapping[str, Any], below: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    kept: dict[str, Any] = {}
    ignored = []
    for key, value in table.items():
        if key in _STRICTER_KEYS and _STRICTER_KEYS[key](value, below):
            kept[key] = value
        elif key in _TABLES and isinstance(value, dict):
            rule = _TABLES[key]
            lower = below.get(key)
            kept[key] = {
                name: inner
                for name, inner in value.items()
                if rule(name, inner, lower if isinstance(lower, Mapping) else {})
            }
            ignored += [f"{key}.{name}" for name in value if name not in kept[key]]
        else:
            ignored.append(key)
    return kept, ignored


def _is_stricter_sandbox(value: Any, below: Mapping[str, Any]) -> bool:
    lower = below.get("sandbox_mode")
    # A permission profile may be stricter than any sandbox mode.
    if value not in SANDBOX_MODES or (lower is None and "default_permissions" in below):
        return False
    return SANDBOX_MODES.index(value) <= SANDBOX_MODES.index(lower or SANDBOX_MODES[0])


def _is_stricter_approval(value: Any, below: Mapping[str, Any]) -> bool:
    lower = below.get("approval_policy", "on-request")
    if not is_approval_policy(value):
        return False
    if isinstance(value, dict):
        return _is_stricter_granular(value["granular"], lower)
    if isinstance(lower, dict):  # What is refused without asking may not become a question.
        return value != "never" and is_approval_policy(lower) and not _refused(lower["granular"])
    at = APPROVAL_POLICIES.index(lower) if lower in APPROVAL_POLICIES else 0
    return APPROVAL_POLICIES.index(value) <= at


def _is_stricter_granular(value: Mapping[str, Any], lower: Any) -> bool:
    """Return whether a granular policy, which refuses or asks where ``on-request`` asks, is stricter than another."""
    if isinstance(lower, dict):
        return is_approval_policy(lower) and _refused(lower["granular"]) <= _refused(value)
    return lower in ("on-request", "never")


def _refused(granular: Mapping[str, Any]) -> set[str]:
    return {name for name in APPROVAL_CATEGORIES if not granular.get(name)}


def _is_stricter_workspace(name: str, value: Any, below: Mapping[str, Any]) -> bool:
    if name == "network_access":
        return value is False
    if name in ("exclude_slash_tmp", "exclude_tmpdir_env_var"):
        return value is True
    roots = below.get("writable_roots")
    return name == "writable_roots" and isinstance(value, list) and all(root in (roots or ()) for root in value)


def _is_allowed_hook_key(name: str, value: Any, _below: Mapping[str, Any]) -> bool:
    # Handlers run only after the user has reviewed them.
    return name == _FAIL_CLOSED or name not in _SETTINGS_OF_HOOKS


_STRICTER_KEYS: Mapping[str, Callable[[Any, Mapping[str, Any]], bool]] = {
    "sandbox_mode": _is_stricter_sandbox,
    "approval_policy": _is_stricter_approval,
}
_TABLES: Mapping[str, Callable[[str, Any, Mapping[str, Any]], bool]] = {
    "sandbox_workspace_write": _is_stricter_workspace,
    "hooks": _is_allowed_hook_key,
}
