"""Check the values of keys that the host itself reads, so that a mistake is told with file and key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from codex_hookspecs.errors import ConfigError

APPROVAL_POLICIES = ("untrusted", "on-failure", "on-request", "never")
SANDBOX_MODES = ("read-only", "workspace-write", "danger-full-access")
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh")
SUMMARIES = ("auto", "concise", "detailed", "none")
VERBOSITIES = ("low", "medium", "high")

_WORDS: dict[str, tuple[str, ...]] = {
    "sandbox_mode": SANDBOX_MODES,
    "model_reasoning_effort": EFFORTS,
    "model_reasoning_summary": SUMMARIES,
    "model_verbosity": VERBOSITIES,
}
_TEXTS = ("model", "model_provider", "profile", "developer_instructions", "personality", "service_tier")
_TABLES = (
    "features",
    "profiles",
    "projects",
    "model_providers",
    "hooks",
    "plugins",
    "sandbox_workspace_write",
    "mcp_servers",
    "shell_environment_policy",
)
_NUMBERS = ("model_context_window", "tool_output_token_limit")


def check_table(table: Mapping[str, Any], *, source: str) -> None:
    """Check one layer.

    :raises ConfigError: for the first wrong value; names the key, what was found and what is allowed.
    """
    for key, allowed in _WORDS.items():
        if key in table and table[key] not in allowed:
            raise _wrong(key, table[key], "one of " + ", ".join(allowed), source)
    approval = table.get("approval_policy", "never")
    if approval not in APPROVAL_POLICIES and not isinstance(approval, dict):
        raise _wrong("approval_policy", approval, "one of " + ", ".join(APPROVAL_POLICIES), source)
    for keys, kind, words in ((_TEXTS, str, "text"), (_TABLES, dict, "a table"), (_NUMBERS, int, "a number")):
        for key in keys:
            if key in table and (not isinstance(table[key], kind) or isinstance(table[key], bool)):
                raise _wrong(key, table[key], words, source)
    for key, value in table.get("features", {}).items():
        if not isinstance(value, bool | dict):
            raise _wrong(f"features.{key}", value, "true or false", source)
    _check_sections(table, source)
    for name, profile in table.get("profiles", {}).items():
        check_table(profile, source=f"{source}, profile {name}")


def _check_sections(table: Mapping[str, Any], source: str) -> None:
    for section in ("model_providers", "profiles"):
        for key, value in table.get(section, {}).items():
            if not isinstance(value, dict):
                raise _wrong(f"{section}.{key}", value, "a table", source)


def _wrong(key: str, found: object, allowed: str, source: str) -> ConfigError:
    return ConfigError(f"{key} = {found!r}, allowed is {allowed}", source=source)
