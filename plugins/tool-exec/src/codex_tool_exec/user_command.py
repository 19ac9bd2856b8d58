"""Commands that the user runs in a thread: without sandbox and approval, in the user's shell."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from codex_hookspecs.environments import ExecParams
from codex_hookspecs.errors import ExecError
from codex_hookspecs.protocol import CommandExecution, uuid4
from codex_hookspecs.tools import ToolCall, truncate_tokens
from codex_tool_exec.arguments import ExecCall
from codex_tool_exec.commands import build_command
from codex_tool_exec.model_output import DEFAULT_TOKENS
from codex_tool_exec.session import Session

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from codex_hookspecs.protocol import JsonObject
    from codex_hookspecs.tools import ToolContext

END_SECONDS = 2.0
_ABORTED = "command aborted by user"


async def run_user_command(command: str, context: ToolContext, environ: Mapping[str, str]) -> Sequence[JsonObject]:
    """Run a command of the user to its end; it is killed when the turn is interrupted.

    :param environ: environment variables of the program.
    :return: the message that tells the model of it.
    :raises ToolError: when the thread has no environment.
    """
    environment = await context.environment()
    built = await build_command(_exec_call(command), environment, context, environ)
    item = CommandExecution(
        id=uuid4(),
        command=built.line,
        cwd=built.cwd,
        source="userShell",
        status="inProgress",
        command_actions=built.actions,
    )
    await context.start_item(item)
    began = time.monotonic()
    params = ExecParams(
        process_id=f"user-{uuid4()}",
        argv=built.argv,
        cwd=built.cwd,
        env=built.env,
        env_policy=built.policy,
        metadata={"threadId": context.thread.id},
    )
    try:
        process = await environment.exec.start(params)
    except ExecError as error:
        from attrs import evolve

        failed = evolve(item, status="failed", aggregated_output=str(error), exit_code=-1, duration_ms=0)
        await context.complete_item(failed)
        return [_message(command, -1, 0.0, str(error))]
    session = Session(
        0,
        process,
        process.events(),
        item,
        context,
        call=ToolCall(call_id=item.id, name="", arguments=""),
        tty=False,
        remote=environment.remote,
        on_closed=lambda _session: None,
    )
    aborted = False
    try:
        await session.ended.wait()
    except asyncio.CancelledError:
        aborted = True
        await session.kill(END_SECONDS)
    code = -1 if session.item.exit_code is None else session.item.exit_code
    output = session.whole_output()
    if aborted:
        output = f"{output}{_ABORTED}"
    elif session.failure is not None:
        output = f"{output}{session.failure}"
    return [_message(command, code, time.monotonic() - began, output)]


def _exec_call(command: str) -> ExecCall:
    return ExecCall(
        cmd=command,
        workdir=None,
        shell=None,
        login=True,
        tty=False,
        yield_time_ms=0,
        max_output_tokens=DEFAULT_TOKENS,
        permissions="use_default",
        additional=None,
        justification=None,
        prefix_rule=None,
    )


def _message(command: str, code: int, seconds: float, output: str) -> JsonObject:
    """Return the message for the model's history (format of Codex 0.118)."""
    text = (
        f"<user_shell_command>\n<command>\n{command}\n</command>\n<result>\nExit code: {code}\n"
        f"Duration: {seconds:.4f} seconds\nOutput:\n{truncate_tokens(output, DEFAULT_TOKENS)[0]}\n</result>\n"
        "</user_shell_command>"
    )
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
