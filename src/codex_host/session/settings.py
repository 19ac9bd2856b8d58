"""What a thread is opened with: settings, model provider, rules for commands."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

import attrs

from codex_hookspecs.errors import ConfigError
from codex_hookspecs.types.json import CLEARED
from codex_hookspecs.types.threads import ApprovalPolicy, ThreadSettings
from codex_host.config.layers import may_only_restrict
from codex_host.config.schema import APPROVAL_POLICIES, is_approval_policy
from codex_host.environments import LOCAL, check_directory
from codex_sandboxing.core_form import configured_policy, sandbox_of

if TYPE_CHECKING:
    from codex_execpolicy.rules.matching import RuleBook
    from codex_hookspecs.ports.host import Host
    from codex_hookspecs.ports.models import ModelProvider
    from codex_hookspecs.types.app_server.threads import ThreadForkParams
    from codex_hookspecs.types.lifecycle import PermissionMode
    from codex_hookspecs.types.requests import ThreadResumeParams, ThreadStartParams
    from codex_hookspecs.types.storage import StoredThread
    from codex_host.config.effective import EffectiveConfig, LiveConfig
    from codex_host.plugins.dispatch import Dispatcher
    from codex_host.plugins.hooks import Hooks

Stored = TypeVar("Stored", "ThreadResumeParams", "ThreadForkParams")

DEFAULT_PROVIDER = "openai"


def resolve_settings(
    table: Mapping[str, Any],
    params: ThreadStartParams | ThreadResumeParams | ThreadForkParams,
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
        if value is CLEARED:
            return None
        return value if value is not None else table.get(key, default)

    approval = pick(params.approval_policy, "approval_policy", "on-request")
    if isinstance(approval, dict) and is_approval_policy(approval):
        from codex_hookspecs.types.threads import GranularApprovalPolicy
        from codex_hookspecs.wire import decode

        approval = decode(GranularApprovalPolicy, approval)
    elif isinstance(approval, str | dict) and not is_approval_policy(approval):
        raise ConfigError(f"approval policy {approval!r}, allowed is one of {', '.join(APPROVAL_POLICIES)}, granular")
    if params.sandbox is None:
        sandbox = sandbox_of(table, cwd)
    else:
        sandbox = configured_policy(params.sandbox, table.get("sandbox_workspace_write", {}))
    return ThreadSettings(
        cwd=cwd,
        model=pick(params.model or None, "model", ""),
        model_provider=pick(params.model_provider, "model_provider", DEFAULT_PROVIDER),
        approval_policy=cast(ApprovalPolicy, approval),
        approvals_reviewer=params.approvals_reviewer or "user",
        sandbox=sandbox,
        reasoning_effort=table.get("model_reasoning_effort"),
        reasoning_summary=table.get("model_reasoning_summary"),
        verbosity=table.get("model_verbosity"),
        personality=pick(getattr(params, "personality", None), "personality"),
        service_tier=pick(params.service_tier, "service_tier"),
        base_instructions=params.base_instructions,
        developer_instructions=pick(params.developer_instructions, "developer_instructions"),
        context_window=table.get("model_context_window"),
        dynamic_tools=tuple(getattr(params, "dynamic_tools", None) or ()),
        overrides=dict(params.config or {}),
    )


def kept_settings(
    settings: ThreadSettings,
    stored: Mapping[str, Any],
    params: ThreadResumeParams | ThreadForkParams,
    chosen: frozenset[str],
) -> ThreadSettings:
    """Return the settings of a resumed or forked thread: those of its last turn, unless this session sets others.

    :param settings: what the client's parameters and the configuration say.
    :param stored: settings of the last turn, as far as stored.
    :param params: the client's parameters.
    :param chosen: keys that flags, the client's overrides or a named profile set.
    """
    kept = {
        name: stored[name]
        for name, keys in _KEPT.items()
        if stored.get(name) and getattr(params, name, None) is None and chosen.isdisjoint(keys)
    }
    approval = kept.get("approval_policy", "never")
    if isinstance(approval, str) and approval not in APPROVAL_POLICIES:
        kept["approval_policy"] = "untrusted"  # A policy of another release: asking is never too little.
    if kept.get("reasoning_summary") == "auto":  # Rollouts have it for no setting at all.
        del kept["reasoning_summary"]
    if kept.get("collaboration_mode", {}).get("mode") == "default":  # The same.
        del kept["collaboration_mode"]
    if stored.get("dynamic_tools"):
        kept["dynamic_tools"] = stored["dynamic_tools"]
    return attrs.evolve(settings, **kept)


_KEPT = {
    "model": ("model",),
    "model_provider": ("model_provider",),
    "approval_policy": ("approval_policy",),
    "approvals_reviewer": ("approvals_reviewer",),
    "sandbox": ("sandbox_mode", "sandbox_workspace_write", "default_permissions", "permissions"),
    "reasoning_effort": ("model_reasoning_effort",),
    "reasoning_summary": ("model_reasoning_summary",),
    "verbosity": ("model_verbosity",),
    "personality": ("personality",),
    "service_tier": ("service_tier",),
    "base_instructions": (),
    "developer_instructions": ("developer_instructions",),
    "collaboration_mode": (),
}
"""Settings that a thread keeps, with the keys of the configuration that set them."""


def permission_mode(settings: ThreadSettings) -> PermissionMode:
    """Return the thread's permission mode for hooks."""
    return "bypassPermissions" if settings.approval_policy == "never" else "default"


class Opening:
    """What one thread is opened with.

    :ivar settings: its settings.
    :ivar config: configuration of its directory, with the client's overrides.
    :ivar model: its model provider.
    :ivar model_owner: plugin that the provider belongs to.
    :ivar rules: execpolicy rules, or ``None``.
    """

    def __init__(self, settings: ThreadSettings, config: EffectiveConfig, model: tuple[ModelProvider, str]) -> None:
        self.settings = settings
        self.config = config
        self.model, self.model_owner = model
        self.rules = _rules(config)


class Opener:
    """Resolves what threads are opened with.

    :param config: the program's configuration.
    :param hooks: hooks that plugins implement.
    :param dispatch: knows which plugins are not available.
    """

    def __init__(self, host: Host, *, config: LiveConfig, hooks: Hooks, dispatch: Dispatcher) -> None:
        self._host = host
        self._config = config
        self._hooks = hooks
        self._dispatch = dispatch

    def default(self) -> tuple[ThreadSettings, ModelProvider]:
        """Return the settings of a thread of no project without parameters, and its model provider.

        :raises ConfigError: when there is no such provider.
        """
        from codex_hookspecs.types.requests import ThreadStartParams

        table = self._config.for_directory(None).table
        settings, (provider, _) = self._provider(
            resolve_settings(table, ThreadStartParams(), cwd=self._host.cwd), table
        )
        return settings, provider

    def new(self, params: ThreadStartParams, **fixed: Any) -> Opening:
        """Return what a new thread is opened with.

        :param fixed: further settings.
        :raises ConfigError: when a setting is invalid.
        """
        settings, config = self._settings(params.cwd, params)
        settings = attrs.evolve(
            settings, environment=self._environment_name(config), ephemeral=bool(params.ephemeral), **fixed
        )
        return self._opening(settings, config)

    def stored(self, stored: StoredThread, params: Stored, *, own_flags: bool, **fixed: Any) -> Opening:
        """Return what a stored thread, or a copy of it, is opened with: the settings of its last turn unless changed.

        :param own_flags: whether the program's flags are the client's own and change settings, too.
        :param fixed: further settings.
        :raises ConfigError: when a setting is invalid, or its environment is not configured any more.
        """
        params = self._on_stored_environment(stored, params)
        settings, config = self._settings(params.cwd or self._still(stored, params), params)
        settings = kept_settings(
            settings, stored.settings, params, config.chosen_keys(params.config or {}, flags=own_flags)
        )
        machine = self._environment_name(config) or (LOCAL if stored.settings.get("environment") else None)
        return self._opening(attrs.evolve(settings, environment=machine, **fixed), config)

    def _opening(self, settings: ThreadSettings, config: EffectiveConfig) -> Opening:
        settings, model = self._provider(settings, config.table)
        return Opening(settings, config, model)

    def _settings(
        self, cwd: str | None, params: ThreadStartParams | ThreadResumeParams | ThreadForkParams
    ) -> tuple[ThreadSettings, EffectiveConfig]:
        directory = os.path.abspath(os.path.join(self._host.cwd, cwd or ""))
        config = self._config.for_directory(directory, params.config or None)
        check_directory(directory, self._host.environments, config.table.get("environment"))
        return resolve_settings(config.table, params, cwd=directory), config

    def _environment_name(self, config: EffectiveConfig) -> str | None:
        """Return the environment of threads with a configuration, ``None`` for the local one."""
        wanted: str | None = config.get("environment")
        if wanted is None:
            wanted = self._host.environments.name_of()
        return None if wanted == LOCAL else wanted

    def _on_stored_environment(self, stored: StoredThread, params: Stored) -> Stored:
        """Return resume parameters with the stored environment of the thread, unless they or a flag name another.

        :raises ConfigError: when that environment is not configured any more; there is no fallback.
        """
        overrides = params.config or {}
        name = stored.settings.get("environment")
        if not name or "environment" in overrides or "environment" in self._config.flags:
            return params
        try:
            self._host.environments.name_of(name)
        except ConfigError as error:
            raise ConfigError(
                f"the thread works on a remote environment, and {error}; configure it as before "
                f"(environments.{name}.url, or CODEX_EXEC_SERVER_URL for `remote`), "
                "or name another with -c environment=NAME"
            ) from error
        return attrs.evolve(params, config={**overrides, "environment": name})

    def _still(self, stored: StoredThread, params: ThreadResumeParams | ThreadForkParams) -> str | None:
        cwd: str = stored.settings.get("cwd") or stored.thread.cwd
        table = self._config.for_directory(cwd, params.config or None).table
        return cwd if self._directory_exists(cwd, table) else None

    def _directory_exists(self, directory: str, table: Mapping[str, Any]) -> bool:
        """Return whether a directory exists; those of remote environments are checked only when they are used."""
        return os.path.isdir(directory) or self._host.environments.is_remote(table.get("environment"))

    def _provider(
        self, settings: ThreadSettings, table: Mapping[str, Any]
    ) -> tuple[ThreadSettings, tuple[ModelProvider, str]]:
        """Return the settings with a model, its provider, and the provider's plugin.

        :raises ConfigError: when there is no such provider, or no model is set and there is no default.
        """
        name = settings.model_provider
        providers = table.get("model_providers", {})
        chosen, plugin = self._hooks.model_provider(name, dict(providers.get(name, {})))
        if chosen is None:
            absent = "".join(f"; {text}" for text in self._dispatch.unavailable("model_provider"))
            if name in providers:
                raise ConfigError(
                    f"model provider `{name}` can't be used: no plugin serves its table [model_providers.{name}], "
                    f"which has {', '.join(sorted(providers[name])) or 'no keys'}; a server of the Responses API needs "
                    f"base_url, another kind of provider needs its plugin{absent}"
                )
            known = ", ".join(sorted(providers)) or "none"
            raise ConfigError(
                f"Model provider `{name}` not found; configured under [model_providers] are: {known}{absent}"
            )
        if not settings.model:
            default = chosen.default_model
            if default is None:
                raise ConfigError(f"no model is named, and the model provider `{name}` has no default; set `model`")
            settings = attrs.evolve(settings, model=default)
        return settings, (chosen, plugin)


def _rules(config: EffectiveConfig) -> RuleBook | None:
    """Return the execpolicy rules for a directory; ``None`` if there are no rules files.

    :raises ConfigError: when a file is invalid.
    """
    ignored = ("user", "project") if config.get("ignore_rules") is True else ()
    layers = [
        layer for layer in config.layers if layer.folder and layer.disabled_reason is None and layer.kind not in ignored
    ]
    if not any(os.path.lexists(f"{layer.folder}/rules") for layer in layers):
        return None
    from codex_execpolicy.rules.files import RuleFolder, load_rules

    try:
        return load_rules(
            RuleFolder(f"{layer.folder}", tightens=may_only_restrict(layer), links_tighten=layer.kind == "project")
            for layer in layers
        )
    except ConfigError as error:
        raise ConfigError(f"rules for commands can't be loaded, so none is run: {error}") from error
