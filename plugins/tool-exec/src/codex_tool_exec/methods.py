"""Methods of the app-server protocol about commands of a thread (0.118)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_hookspecs.errors import RpcError
from codex_hookspecs.protocol import (
    ThreadBackgroundTerminalsCleanResponse,
    ThreadDecrementElicitationResponse,
    ThreadIncrementElicitationResponse,
    ThreadShellCommandResponse,
    uuid_fault,
)
from codex_tool_exec.pauses import pauses_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from codex_hookspecs.host import LoadedThread
    from codex_hookspecs.protocol import (
        JsonObject,
        ThreadBackgroundTerminalsCleanParams,
        ThreadDecrementElicitationParams,
        ThreadIncrementElicitationParams,
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


async def begin_question(
    params: ThreadIncrementElicitationParams, context: RpcContext
) -> ThreadIncrementElicitationResponse:
    """Pause the time limits of the thread's calls until the question is over, or the client has disconnected."""
    pauses = pauses_of(_loaded(params.thread_id, context))
    connection = context.connection_id
    if pauses.begin(connection):

        async def forget() -> None:
            pauses.forget(connection)

        context.on_disconnect(forget)
    return ThreadIncrementElicitationResponse(count=pauses.count, paused=True)


async def end_question(
    params: ThreadDecrementElicitationParams, context: RpcContext
) -> ThreadDecrementElicitationResponse:
    """Let the time limits of the thread's calls go on, unless there are more questions."""
    pauses = pauses_of(_loaded(params.thread_id, context))
    if not pauses.count:
        raise RpcError("out-of-band elicitation count is already zero")
    pauses.end(context.connection_id)
    return ThreadDecrementElicitationResponse(count=pauses.count, paused=pauses.count > 0)


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
