"""Hook implementations of the plugin ``hooks-command``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from codex_hookspecs import enabled_if, hookimpl, reports_runs, time_limit

from .sessions import sessions_of

if TYPE_CHECKING:
    from codex_hookspecs.host import AgentThread, Host
    from codex_hookspecs.lifecycle import HookScope
    from codex_hookspecs.surface import CliCommand, RpcMethod


def _configured(host: Host, thread: AgentThread | None) -> bool:
    return sessions_of(host).configured(thread)


def _scripts_for(name: str) -> Callable[[Any, HookScope, Host], Awaitable[Any]]:
    @hookimpl
    @enabled_if(_configured)
    @reports_runs
    @time_limit(None)  # Each script has a limit of its own.
    async def run_scripts(event: Any, scope: HookScope, host: Host) -> Any:
        sessions = sessions_of(host)
        registry = await sessions.registry(event, scope)
        if registry is None:
            return None
        # Loaded with the first hook that is configured.
        from .dispatch import dispatch
        from .events import Event

        return await dispatch(Event[name], event, scope, host, registry=registry, detached=sessions.detached)

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
    """Offer ``codex hooks``."""
    from .commands import hooks_command

    return [hooks_command()]


@hookimpl
def rpc_methods() -> Sequence[RpcMethod]:
    """Offer ``hooks/list``."""
    from .methods import hooks_list_method

    return [hooks_list_method()]
