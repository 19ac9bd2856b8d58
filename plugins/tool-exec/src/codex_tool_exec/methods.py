"""Methods of the app-server protocol about commands of a thread (0.118)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_hookspecs.errors import RpcError
from codex_hookspecs.protocol import (
    ThreadBackgroundTerminalsCleanResponse,
    ThreadShellCommandResponse,
    uuid_fault,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from codex_hookspecs.host import LoadedThread
    from codex_hookspecs.protocol import (
        JsonObject,
        ThreadBackgroundTerminalsCleanParams,
        ThreadShellCommandParams,
    )
    from codex_hookspecs.surface import RpcContext
    from codex_hookspecs.tools import ToolContext


async def shell_command(params: ThreadShellCommandParams, context: RpcContext) -> ThreadShellCommandResponse:
    """Run a command of the user in the thread's running turn, or in a turn of its own."""
    thread = _loaded(params.thread_id, context)
    command = params.command
    if not command.strip():
        raise RpcError("command must not be empty")

    async def run(turn: ToolContext) -> Sequence[JsonObject]:
        from codex_tool_exec.user_command import run_user_command

        return await run_user_command(command, turn, context.host.environ)

    await thread.act(run)
    return ThreadShellCommandResponse()


async def clean_terminals(
    params: ThreadBackgroundTerminalsCleanParams, context: RpcContext
) -> ThreadBackgroundTerminalsCleanResponse:
    """Kill the commands that the thread left in the background; their items are completed after the response."""
    from codex_tool_exec.shell import SHELLS

    shell = SHELLS.get(_loaded(params.thread_id, context))
    if shell is not None:
        context.after_response(shell.kill_all)
    return ThreadBackgroundTerminalsCleanResponse()


def _loaded(thread_id: str, context: RpcContext) -> LoadedThread:
    """Return a loaded thread.

    :raises RpcError: when no thread of that id is loaded.
    """
    if fault := uuid_fault(thread_id):
        raise RpcError(f"invalid thread id: {fault}")
    thread = context.host.threads.get(thread_id)
    if thread is None:
        raise RpcError(f"thread not found: {thread_id}")
    return thread
