"""Offer the tools ``exec_command`` and ``write_stdin`` to every thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_hookspecs import hookimpl
from codex_hookspecs.types.tools import Tool
from codex_tool_exec.definition import EXEC_COMMAND, WRITE_STDIN, no_payload, payload_of, with_input

if TYPE_CHECKING:
    from collections.abc import Sequence

    from codex_hookspecs.ports.host import Host
    from codex_hookspecs.ports.surface import CliCommand
    from codex_hookspecs.ports.threads import AgentThread
    from codex_hookspecs.ports.tools import ToolContext
    from codex_hookspecs.types.tools import ToolCall, ToolOutput
    from codex_tool_exec.shell import Shell


@hookimpl
def tools(thread: AgentThread, host: Host) -> list[Tool]:
    """Offer both tools; what runs commands is imported with the first one."""
    shell: Shell | None = None

    def opened() -> Shell:
        nonlocal shell
        if shell is None:
            from codex_tool_exec.shell import Shell

            shell = Shell(host.environ)
            thread.on_close(shell.aclose)
        return shell

    async def exec_command(call: ToolCall, context: ToolContext) -> ToolOutput:
        return await opened().exec_command(call, context)

    async def write_stdin(call: ToolCall, context: ToolContext) -> ToolOutput:
        return await opened().write_stdin(call, context)

    return [
        Tool(
            name="exec_command",
            spec=EXEC_COMMAND,
            run=exec_command,
            parallel=True,
            payload=payload_of,
            with_input=with_input,
            announces=True,
        ),
        Tool(name="write_stdin", spec=WRITE_STDIN, run=write_stdin, payload=no_payload, announces=True),
    ]


@hookimpl
def cli_commands() -> Sequence[CliCommand]:
    """Offer ``codex execpolicy``."""
    from codex_hookspecs.ports.surface import CliCommand
    from codex_tool_exec.execpolicy import run

    return [CliCommand(name="execpolicy", help="Check rules for commands", run=run)]
