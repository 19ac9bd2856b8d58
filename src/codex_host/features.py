"""Feature flags: their stages, defaults, aliases and warnings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from codex_hookspecs.types.config import Feature, Stage

_KEYS: dict[Stage, str] = {
    "stable": (
        "apps* enable_request_compression* fast_mode* hooks* multi_agent* personality* plugins* shell_snapshot* "
        "shell_tool* skill_mcp_dependency_install* tool_call_mcp_elicitation* tool_suggest* unified_exec* undo "
        "use_legacy_landlock"
    ),
    "experimental": "guardian_approval js_repl prevent_idle_sleep",
    "deprecated": "web_search_cached web_search_request",
    "removed": (
        "collaboration_modes* elevated_windows_sandbox experimental_windows_sandbox remote_models request_rule "
        "responses_websockets responses_websockets_v2 search_tool sqlite* steer* tui_app_server* "
        "use_linux_sandbox_bwrap"
    ),
    "under development": (
        "apply_patch_freeform artifact child_agents_md code_mode code_mode_only codex_git_commit "
        "default_mode_request_user_input enable_fanout exec_permission_approvals image_detail_original "
        "image_generation js_repl_tools_only memories multi_agent_v2 realtime_conversation request_permissions_tool "
        "runtime_metrics shell_zsh_fork skill_env_var_dependency_prompt tool_search"
    ),
}
_ALIASES = {
    "codex_hooks": "hooks",
    "collab": "multi_agent",
    "connectors": "apps",
    "enable_experimental_windows_sandbox": "experimental_windows_sandbox",
    "experimental_use_freeform_apply_patch": "apply_patch_freeform",
    "experimental_use_unified_exec_tool": "unified_exec",
    "include_apply_patch_tool": "apply_patch_freeform",
    "memory_tool": "memories",
    "request_permissions": "exec_permission_approvals",
    "web_search": "web_search_request",
}
_IMPLIES = {"enable_fanout": ("multi_agent",), "code_mode_only": ("code_mode",)}
_MENU = {
    "guardian_approval": ("Guardian approvals", "Let a reviewer model answer approval requests."),
    "js_repl": ("JavaScript REPL", "A persistent JavaScript session as a tool."),
    "prevent_idle_sleep": ("Prevent sleep while running", "Keep the machine awake while a turn runs."),
}


def _features() -> dict[str, Feature]:
    table = {}
    for stage, keys in _KEYS.items():
        for word in keys.split():
            key = word.rstrip("*")
            name, description = _MENU.get(key, (None, None))
            table[key] = Feature(
                key=key,
                stage=stage,
                default=word.endswith("*"),
                aliases=tuple(aliases_of(key)),
                implies=_IMPLIES.get(key, ()),
                display_name=name,
                description=description,
            )
    return table


class FeatureSwitches:
    """The feature flags of one configuration.

    :param table: effective table ``[features]``.
    """

    def __init__(self, table: Mapping[str, Any]) -> None:
        self._set = _switches(table)
        self._used_aliases = sorted(key for key in table if key in _ALIASES)
        self._defaults: dict[str, bool] = {
            word.rstrip("*"): word.endswith("*") for keys in _KEYS.values() for word in keys.split()
        }

    def follow(self, table: Mapping[str, Any]) -> None:
        """Use another table ``[features]``; changed defaults stay."""
        self._set = _switches(table)
        self._used_aliases = sorted(key for key in table if key in _ALIASES)

    def set_default(self, key: str, enabled: bool) -> None:
        """Change the default of a known feature."""
        key = _ALIASES.get(key, key)
        if key in self._defaults:
            self._defaults[key] = enabled

    def enabled(self, key: str) -> bool:
        """Return whether a feature is enabled; aliases are accepted, an unknown key is disabled."""
        key = _ALIASES.get(key, key)
        if key in _REMOVED:
            return self._defaults[key]
        if any(key in implied and self.enabled(other) for other, implied in _IMPLIES.items()):
            return True
        return self._set.get(key, self._defaults.get(key, False))

    def all(self) -> Sequence[Feature]:
        """Return every feature, sorted by key."""
        return [feature for _, feature in sorted(_features().items())]

    def warnings(self, config_path: str, *, suppressed: bool) -> list[str]:
        """Return warnings about deprecated and unfinished features that are set."""
        warnings = [
            f"`[features].{alias}` is deprecated. Use `[features].{_ALIASES[alias]}` instead."
            for alias in self._used_aliases
        ]
        unfinished = sorted(key for key in _KEYS["under development"].split() if self._set.get(key))
        if unfinished and not suppressed:
            warnings.append(
                f"Under-development features enabled: {', '.join(unfinished)}. Under-development features are "
                "incomplete and may behave unpredictably. To suppress this warning, set "
                f"`suppress_unstable_features_warning = true` in {config_path}."
            )
        return warnings


def _switches(table: Mapping[str, Any]) -> dict[str, bool]:
    return {_ALIASES.get(key, key): value for key, value in table.items() if isinstance(value, bool)}


_REMOVED = frozenset(word.rstrip("*") for word in _KEYS["removed"].split())


def known_key(key: str) -> str | None:
    """Return the key of a name or alias, or ``None`` if it is unknown."""
    key = _ALIASES.get(key, key)
    return key if any(key == word.rstrip("*") for keys in _KEYS.values() for word in keys.split()) else None


def require_key(name: str) -> str:
    """Return the key of a name or alias.

    :raises ConfigError: when it is unknown; names a similar one.
    """
    key = known_key(name)
    if key is None:
        from codex_hookspecs.errors import ConfigError
        from codex_host.usage import near

        meant = near(name, sorted(known_names()))
        hint = f"; did you mean {meant}?" if meant else " (codex features list shows them all)"
        raise ConfigError(f"Unknown feature flag: {name}{hint}")
    return key


def known_names() -> frozenset[str]:
    """Return all keys and their aliases."""
    return frozenset(word.rstrip("*") for keys in _KEYS.values() for word in keys.split()) | _ALIASES.keys()


def aliases_of(key: str) -> list[str]:
    """Return the aliases of a known key."""
    return [alias for alias, target in _ALIASES.items() if target == key]


def default_of(key: str) -> bool:
    """Return the default of a known key."""
    return any(word == f"{key}*" for keys in _KEYS.values() for word in keys.split())


def rows(switches: FeatureSwitches) -> Iterable[tuple[str, str, str]]:
    """Return rows of key, stage and effective value of every feature, sorted by key."""
    return [
        (feature.key, feature.stage, "true" if switches.enabled(feature.key) else "false") for feature in switches.all()
    ]
