"""Validate configuration values, so that errors name file and key."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from codex_hookspecs.errors import ConfigError

APPROVAL_POLICIES = ("untrusted", "on-failure", "on-request", "never")
APPROVAL_CATEGORIES = ("sandbox_approval", "rules", "mcp_elicitations", "skill_approval", "request_permissions")
"""Categories of a granular approval policy; the first three must be given."""
SANDBOX_MODES = ("read-only", "workspace-write", "danger-full-access")
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh")
SUMMARIES = ("auto", "concise", "detailed", "none")
PERSONALITIES = ("none", "friendly", "pragmatic")
VERBOSITIES = ("low", "medium", "high")

Rule = tuple[Callable[[Any], bool], str]


def _one_of(words: Sequence[str]) -> Rule:
    return (lambda value: value in words), f"one of {', '.join(words)}"


_TEXT: Rule = (lambda value: isinstance(value, str)), "text"
_TEXTS: Rule = (
    (lambda value: isinstance(value, list) and all(isinstance(part, str) for part in value)),
    "a list of texts",
)
_NAMES: Rule = ((lambda value: isinstance(value, str) or _TEXTS[0](value)), "the name of a plugin or a list of names")
_NOTIFICATIONS: Rule = (lambda value: isinstance(value, bool) or _TEXTS[0](value)), "true, false or a list of texts"
_WHOLE: Rule = (lambda value: type(value) is int), "a whole number"
_TABLE: Rule = (lambda value: isinstance(value, dict)), "a table"
_NUMBER: Rule = (lambda value: type(value) is int and value >= 0), "a number from 0"
_SWITCH: Rule = (lambda value: isinstance(value, bool)), "true or false"


def is_approval_policy(value: Any) -> bool:
    """Tell whether a value is an approval policy: a word, or a table ``granular`` with its categories."""
    if isinstance(value, str):
        return value in APPROVAL_POLICIES
    if not isinstance(value, dict) or set(value) != {"granular"} or not isinstance(value["granular"], dict):
        return False
    granular = value["granular"]
    required = APPROVAL_CATEGORIES[:3]
    return all(name in granular for name in required) and all(
        isinstance(granular.get(name, False), bool) for name in APPROVAL_CATEGORIES
    )


_APPROVAL: Rule = is_approval_policy, f"{_one_of(APPROVAL_POLICIES)[1]} or granular = {{…}}"
_FEATURE: Rule = (lambda value: isinstance(value, bool | dict)), "true or false"


def _names_devices(value: Any) -> bool:
    from codex_sandboxing.devices import names_devices

    return names_devices(value)


RULES: dict[str, Rule] = {
    "approval_policy": _APPROVAL,
    "sandbox_mode": _one_of(SANDBOX_MODES),
    "default_permissions": _TEXT,
    "permissions": _TABLE,
    "permissions.*": _TABLE,
    "model_reasoning_effort": _one_of(EFFORTS),
    "model_reasoning_summary": _one_of(SUMMARIES),
    "model_verbosity": _one_of(VERBOSITIES),
    "model": _TEXT,
    "model_provider": _TEXT,
    "profile": _TEXT,
    "developer_instructions": _TEXT,
    "personality": _one_of(PERSONALITIES),
    "service_tier": _TEXT,
    "environment": _TEXT,
    "environments": _TABLE,
    "environments.*": _TABLE,
    "model_context_window": _NUMBER,
    "tool_output_token_limit": _NUMBER,
    "features": _TABLE,
    "features.*": _FEATURE,
    "hooks": _TABLE,
    "hooks.max_stop_blocks": _NUMBER,
    "hooks.fail_closed": _TEXTS,
    "hooks.fail_open": _TEXTS,
    "history": _TABLE,
    "history.max_bytes": _NUMBER,
    "history.persistence": _one_of(("save-all", "none")),
    "mcp_servers": _TABLE,
    "mcp_servers.*": _TABLE,
    "mcp_servers.*.args": _TEXTS,
    "mcp_servers.*.command": _TEXT,
    "mcp_servers.*.enabled": _SWITCH,
    "mcp_servers.*.url": _TEXT,
    "model_auto_compact_token_limit": _WHOLE,
    "model_providers": _TABLE,
    "model_providers.*": _TABLE,
    "notify": _TEXTS,
    "openai_base_url": _TEXT,
    "project_doc_max_bytes": _NUMBER,
    "plugin_order": _TABLE,
    "plugin_order.*": _NAMES,
    "plugins": _TABLE,
    "plugins.*": _TABLE,
    "plugins.*.enabled": _SWITCH,
    "profiles": _TABLE,
    "profiles.*": _TABLE,
    "projects": _TABLE,
    "projects.*": _TABLE,
    "projects.*.trust_level": _one_of(("trusted", "untrusted")),
    "projects.*.plugins": _TABLE,
    "projects.*.plugins.*": _TABLE,
    "projects.*.plugins.*.enabled": _SWITCH,
    "sandbox_workspace_write": _TABLE,
    "sandbox_workspace_write.devices": (_names_devices, "a list of paths below /dev"),
    "sandbox_workspace_write.network_access": _SWITCH,
    "sandbox_workspace_write.exclude_slash_tmp": _SWITCH,
    "sandbox_workspace_write.exclude_tmpdir_env_var": _SWITCH,
    "sandbox_workspace_write.writable_roots": _TEXTS,
    "shell_environment_policy": _TABLE,
    "shell_environment_policy.inherit": _one_of(("all", "core", "none")),
    "shell_environment_policy.ignore_default_excludes": _SWITCH,
    "shell_environment_policy.exclude": _TEXTS,
    "shell_environment_policy.include_only": _TEXTS,
    "shell_environment_policy.set": _TABLE,
    "shell_environment_policy.set.*": _TEXT,
    "tui": _TABLE,
    "tui.notifications": _NOTIFICATIONS,
    "shell_environment_policy.experimental_use_profile": _SWITCH,
}
"""Allowed values by key; ``*`` matches every key of a table."""


def check_table(table: Mapping[str, Any], *, source: str) -> None:
    """Validate one layer.

    :raises ConfigError: for the first wrong value; names the key, what was found and what is allowed.
    """
    for pattern, (fits, allowed) in RULES.items():
        for key, value in _values(table, pattern.split(".")):
            if not fits(value):
                raise ConfigError(f"{key} = {value!r}, allowed is {allowed}", source=source)
    for name, profile in table.get("profiles", {}).items():
        check_table(profile, source=f"{source}, profile {name}")


def _values(table: Any, path: Sequence[str], prefix: str = "") -> Iterator[tuple[str, Any]]:
    head, *rest = path
    for name in table if head == "*" else path[:1]:
        if name in table and not rest:
            yield f"{prefix}{name}", table[name]
        elif isinstance(table.get(name), dict):
            yield from _values(table[name], rest, f"{prefix}{name}.")
