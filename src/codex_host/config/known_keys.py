"""Find unknown configuration keys, and suggest the key that was probably meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TOP = _names(
    "agents allow_login_shell analytics approval_policy approvals_reviewer apps apps_mcp_product_sku audio "
    "auto_review background_terminal_max_timeout base_instructions bypass_hook_trust chatgpt_base_url "
    "check_for_update_on_startup cli_auth_credentials_store commit_attribution compact_prompt debug "
    "default_permissions desktop developer_instructions disable_paste_burst disable_response_storage environment "
    "environments experimental_compact_prompt_file experimental_instructions_file "
    "experimental_realtime_start_instructions experimental_realtime_ws_backend_prompt "
    "experimental_realtime_ws_base_url experimental_realtime_ws_model experimental_realtime_ws_startup_context "
    "experimental_resume experimental_thread_config_endpoint experimental_thread_store "
    "experimental_use_exec_command_tool experimental_use_freeform_apply_patch experimental_use_rmcp_client "
    "experimental_use_unified_exec_tool features feedback file_opener forced_chatgpt_workspace_id "
    "forced_login_method ghost_snapshot hide_agent_reasoning history hooks ignore_rules "
    "include_apply_patch_tool "
    "include_apps_instructions include_collaboration_mode_instructions include_environment_context "
    "include_permissions_instructions instructions js_repl_node_module_dirs js_repl_node_path log_dir "
    "marketplaces mcp_oauth_callback_port mcp_oauth_callback_url mcp_oauth_credentials_store mcp_servers memories "
    "model model_auto_compact_token_limit model_auto_compact_token_limit_scope model_availability_nux "
    "model_catalog_json model_context_window model_instructions_file model_max_output_tokens model_provider "
    "model_providers model_reasoning_effort model_reasoning_summary model_reasoning_summary_format "
    "model_supports_reasoning_summaries model_verbosity notice notify openai_base_url oss_provider otel "
    "permissions personality plan_mode_reasoning_effort plugin_order plugins preferred_auth_method profile profiles "
    "project_doc_fallback_filenames project_doc_max_bytes project_root_markers projects realtime review_model "
    "sandbox_mode sandbox_permissions sandbox_workspace_write service_tier shell_environment_policy "
    "show_raw_agent_reasoning skills sqlite_home suppress_unstable_features_warning tool_output_token_limit "
    "tool_suggest tools tui web_search windows windows_wsl_setup_acknowledged zsh_path"
)
_TABLES: dict[str, frozenset[str]] = {
    "environments.*": _names("default token token_env_var url"),
    "history": _names("max_bytes persistence"),
    "mcp_servers.*": _names(
        "args auth bearer_token bearer_token_env_var command cwd default_tools_approval_mode disabled_tools enabled "
        "enabled_tools env env_http_headers env_vars environment_id experimental_environment http_headers name oauth "
        "oauth_resource required scopes startup_timeout_ms startup_timeout_sec supports_parallel_tool_calls "
        "tool_timeout_sec tools url"
    ),
    "model_providers.*": _names(
        "auth aws base_url env_http_headers env_key env_key_instructions experimental_bearer_token http_headers name "
        "query_params request_max_retries requires_openai_auth script stream_idle_timeout_ms stream_max_retries "
        "supports_websockets websocket_connect_timeout_ms wire_api"
    ),
    "model_providers.*.auth": _names("args command cwd refresh_interval_ms timeout_ms"),
    "projects.*": _names("plugins trust_level"),
    "sandbox_workspace_write": _names("devices exclude_slash_tmp exclude_tmpdir_env_var network_access writable_roots"),
    "shell_environment_policy": _names(
        "exclude experimental_use_profile ignore_default_excludes include_only inherit set"
    ),
}
"""Keys of tables, including those that only Codex knows; ``*`` matches any name. Other tables are not checked."""

_OTHER_FEATURES = _names(
    "apply_patch_streaming_events apps_mcp_path_override auth_elicitation browser_use browser_use_external "
    "chronicle computer_use enable_mcp_apps external_migration goals imagegenext in_app_browser "
    "local_thread_store_compression mentions_v2 network_proxy non_prefixed_mcp_tool_names plugin_hooks "
    "plugin_sharing remote_compaction_v2 remote_control remote_plugin responses_websocket_response_processed "
    "standalone_web_search telepathy terminal_resize_reflow tool_search_always_defer_mcp_tools "
    "unavailable_dummy_tools unified_exec_zsh_fork workspace_dependencies workspace_owner_usage_nudge"
)
"""Feature flags of other releases, which have no effect here."""


_MAX_COMPARED = 50
"""Most unknown keys of one table for which a suggestion is searched."""


class UnknownKey(NamedTuple):
    """An unknown key.

    :param near: the known key that it is probably a typo of, or ``None``.
    """

    key: str
    near: str | None


def unknown_keys(table: Mapping[str, Any]) -> Iterator[UnknownKey]:
    """Yield the unknown keys of one layer, including those of its profiles."""
    yield from _unknown(table, _TOP, "")
    for pattern, known in _TABLES.items():
        for prefix, inner in _found(table, pattern.split(".")):
            yield from _unknown(inner, known, prefix)
    features = table.get("features")
    if isinstance(features, Mapping):
        from codex_host.features import known_names

        yield from _unknown(features, known_names() | _OTHER_FEATURES, "features.")
    profiles = table.get("profiles")
    for name, profile in profiles.items() if isinstance(profiles, Mapping) else ():
        if isinstance(profile, Mapping):
            for found in unknown_keys(profile):
                prefix = f"profiles.{_part(name)}."
                yield UnknownKey(f"{prefix}{found.key}", found.near and f"{prefix}{found.near}")


def _unknown(table: Mapping[str, Any], known: frozenset[str], prefix: str) -> Iterator[UnknownKey]:
    for number, key in enumerate(key for key in table if key not in known):
        # Searching for a suggestion is slow, and so many typos are not to be expected.
        near = _near(key, known) if number < _MAX_COMPARED else None
        yield UnknownKey(f"{prefix}{_part(key)}", None if near is None else f"{prefix}{near}")


def _near(key: str, known: frozenset[str]) -> str | None:
    import difflib

    return next(iter(difflib.get_close_matches(key, sorted(known), n=1, cutoff=0.8)), None)


def _found(table: Any, path: list[str], prefix: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    if not isinstance(table, Mapping):
        return
    if not path:
        yield prefix, table
        return
    for name in table if path[0] == "*" else path[:1]:
        if name in table:
            yield from _found(table[name], path[1:], f"{prefix}{_part(name)}.")


def _part(name: str) -> str:
    return f'"{name}"' if "." in name else name
