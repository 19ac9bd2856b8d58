"""Hook implementations of the plugin ``hooks-command``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from codex_hooks_command.registry_cache import registry_cache_of
from codex_hookspecs import enabled_if, hookimpl, reports_runs, time_limit

if TYPE_CHECKING:
    from codex_hookspecs.host import AgentThread, Host
    from codex_hookspecs.lifecycle import HookScope
    from codex_hookspecs.surface import CliCommand, RpcMethod


def _has_hooks(host: Host, thread: AgentThread | None) -> bool:
    return registry_cache_of(host).has_hooks(thread)


def _scripts_for(name: str) -> Callable[[Any, HookScope, Host], Awaitable[Any]]:
    @hookimpl
    @enabled_if(_has_hooks)
    @reports_runs
    @time_limit(None)  # Each script has its own timeout.
    async def run_scripts(event: Any, scope: HookScope, host: Host) -> Any:
        cache = registry_cache_of(host)
        registry = await cache.registry(event, scope)
        if registry is None:
            return None
        # Imported only if a hook is configured.
        from codex_hooks_command.events import Event
        from codex_hooks_command.run_event import run_event

        return await run_event(Event[name], event, scope, host, registry=registry, detached=cache.detached)

    return run_scripts


session_start = _scripts_for("SESSION_START")
user_prompt_submit = _scripts_for("USER_PROMPT_SUBMIT")
pre_tool_use = _scripts_for("PRE_TOOL_USE")
permission_request = _scripts_for("PERMISSION_REQUEST")
post_tool_use = _scripts_for("POST_TOOL_USE")
stop = _scripts_for("STOP")
subagent_start = _scripts_for("SUBAGENT_START")
subagent_stop = _scripts_for("SUBAGENT_STOP")
pre_compact = _scripts_for("PRE_COMPACT")
post_compact = _scripts_for("POST_COMPACT")
interrupt = _scripts_for("INTERRUPT")
session_end = _scripts_for("SESSION_END")
pre_model_request = _scripts_for("PRE_MODEL_REQUEST")
post_model_request = _scripts_for("POST_MODEL_REQUEST")


@hookimpl
def cli_commands() -> Sequence[CliCommand]:
    """Provide ``codex hooks``."""
    from codex_hooks_command.commands import hooks_command

    return [hooks_command()]


@hookimpl
def rpc_methods() -> Sequence[RpcMethod]:
    """Provide ``hooks/list``."""
    from codex_hooks_command.methods import hooks_list_method

    return [hooks_list_method()]
