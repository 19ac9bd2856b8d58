"""Hook implementations of tool-exec."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_hookspecs import hookimpl
from codex_hookspecs.tools import Tool
from codex_tool_exec.definition import (
    REQUEST_PERMISSIONS,
    WRITE_STDIN,
    exec_command_spec,
    from_hook_input,
    no_hook_view,
    to_hook_view,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from typing import Any

    from codex_hookspecs.host import AgentThread, Host
    from codex_hookspecs.surface import CliCommand, RpcContext, RpcMethod
    from codex_hookspecs.tools import ToolCall, ToolContext, ToolOutput
    from codex_tool_exec.shell import Shell


@hookimpl
def tools(thread: AgentThread, host: Host) -> list[Tool]:
    """Offer the tools; the modules that run commands are imported with the first call."""
    more = host.features.enabled("exec_permission_approvals")
    shell: Shell | None = None

    def get_shell() -> Shell:
        nonlocal shell
        if shell is None:
            from codex_tool_exec.shell import SHELLS, Shell

            once = host.features.enabled("shell_snapshot")
            shell = SHELLS[thread] = Shell(host.environ, allow_additional=more, profile_once=once)
            thread.on_close(shell.aclose)
        return shell

    async def exec_command(call: ToolCall, context: ToolContext) -> ToolOutput:
        return await get_shell().exec_command(call, context)

    async def write_stdin(call: ToolCall, context: ToolContext) -> ToolOutput:
        return await get_shell().write_stdin(call, context)

    async def request_permissions(call: ToolCall, context: ToolContext) -> ToolOutput:
        from codex_tool_exec import permission_requests

        return await permission_requests.request_permissions(call, context)

    offered = [
        Tool(
            name="exec_command",
            spec=exec_command_spec(allow_additional=more),
            run=exec_command,
            parallel=True,
            hook_view=to_hook_view,
            from_hook_input=from_hook_input,
            emits_own_items=True,
        ),
        Tool(name="write_stdin", spec=WRITE_STDIN, run=write_stdin, hook_view=no_hook_view, emits_own_items=True),
    ]
    if host.features.enabled("request_permissions_tool"):
        name, spec = "request_permissions", REQUEST_PERMISSIONS
        offered.append(
            Tool(name=name, spec=spec, run=request_permissions, hook_view=no_hook_view, emits_own_items=True)
        )
    return offered


@hookimpl
def cli_commands() -> Sequence[CliCommand]:
    """Offer ``codex execpolicy``."""
    from codex_hookspecs.surface import CliCommand
    from codex_tool_exec.execpolicy import run

    return [CliCommand(name="execpolicy", help="Check rules for commands", run=run)]


@hookimpl
def rpc_methods() -> Sequence[RpcMethod]:
    """Offer the methods about commands of a thread."""
    from codex_hookspecs.surface import RpcMethod, protocol_type

    return [
        RpcMethod(
            name="thread/shellCommand",
            params=protocol_type("ThreadShellCommandParams"),
            handle=_handler("shell_command"),
            result=protocol_type("ThreadShellCommandResponse"),
        ),
        RpcMethod(
            name="thread/backgroundTerminals/clean",
            params=protocol_type("ThreadBackgroundTerminalsCleanParams"),
            handle=_handler("clean_terminals"),
            result=protocol_type("ThreadBackgroundTerminalsCleanResponse"),
            experimental=True,
        ),
        RpcMethod(
            name="thread/increment_elicitation",
            params=protocol_type("ThreadIncrementElicitationParams"),
            handle=_handler("begin_question"),
            result=protocol_type("ThreadIncrementElicitationResponse"),
            experimental=True,
        ),
        RpcMethod(
            name="thread/decrement_elicitation",
            params=protocol_type("ThreadDecrementElicitationParams"),
            handle=_handler("end_question"),
            result=protocol_type("ThreadDecrementElicitationResponse"),
            experimental=True,
        ),
    ]


def _handler(name: str) -> Callable[[Any, RpcContext], Awaitable[Any]]:
    async def handle(params: Any, context: RpcContext) -> Any:
        from codex_tool_exec import methods

        return await getattr(methods, name)(params, context)

    return handle
