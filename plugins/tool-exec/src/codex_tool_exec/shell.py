"""Run ``exec_command`` and ``write_stdin`` for a thread; owns the commands that they start."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from codex_hookspecs.errors import ExecError, SandboxUnavailable, ToolError, ToolRejected
from codex_hookspecs.protocol import TerminalInteraction
from codex_hookspecs.tools import ToolOutput
from codex_tool_exec.arguments import ExecCall, WriteCall, read_exec_call, read_write_call
from codex_tool_exec.commands import build_command
from codex_tool_exec.launch import Attempt
from codex_tool_exec.model_output import CallOutput, format_output, truncate_output
from codex_tool_exec.profile import Profiles
from codex_tool_exec.session import INTERRUPT, Session
from codex_tool_exec.session_store import MAX_SESSIONS, WARN_AT, SessionStore

if TYPE_CHECKING:
    from codex_hookspecs.host import AgentThread
    from codex_hookspecs.tools import CommandApproval, ToolCall, ToolContext

SHORT_SECONDS = 0.15
REACTION_SECONDS = 0.1
END_SECONDS = 2.0
OUTLIVE_SECONDS = 0.5
"""How long an interrupted turn waits for its command to end."""
INTERRUPT_SECONDS = 2.0
"""How long a command may take to end after an interrupt before it is killed."""
STDIN_CLOSED = "stdin is closed for this session; rerun exec_command with tty=true to keep stdin open"


SHELLS: WeakKeyDictionary[AgentThread, Shell] = WeakKeyDictionary()
"""The shells of threads in which commands were run."""


class Shell:
    """The commands of a thread.

    :param environ: environment variables of the program.
    :param allow_additional: whether calls may request permissions beyond the sandbox policy.
    :param profile_once: whether a login shell's profile is run once, instead of by each command.
    """

    def __init__(
        self, environ: Mapping[str, str], *, allow_additional: bool = False, profile_once: bool = False
    ) -> None:
        self._environ = environ
        self._profiles = Profiles() if profile_once else None
        self._allow_additional = allow_additional
        self._sessions: SessionStore[Session] = SessionStore()
        self._leftovers: set[Session] = set()
        self._background_tasks: set[asyncio.Task[None]] = set()

    async def exec_command(self, call: ToolCall, context: ToolContext) -> ToolOutput:
        """Start a command and wait for it, for as long as the call asks.

        :raises ToolError: when it is not approved or can't be started.
        """
        exec_call = read_exec_call(call.arguments, context.thread.config)
        if "*** Begin Patch" in exec_call.cmd:
            patched = await _delegate_patch(exec_call, call, context)
            if patched is not None:
                return patched
        environment = await context.environment()
        command = await build_command(exec_call, environment, context, self._environ)
        requested_permissions = None
        if exec_call.permissions != "use_default":
            from codex_tool_exec.permission_requests import read_requested_permissions

            requested_permissions = read_requested_permissions(
                exec_call, command.cwd, context, environment, possible=self._allow_additional
            )
        attempt = Attempt(
            command,
            exec_call,
            call,
            context,
            environment,
            requested_permissions=requested_permissions,
        )
        approval = await attempt.approve()
        session = await self._start(attempt, may_retry=attempt.sandboxed and approval.retry != "no")
        try:
            output = await self._initial_output(session, exec_call)
            if not (session.ended.is_set() and session.denied):
                return output
            if approval.retry != "no":
                return await self._retry_without_sandbox(session, attempt, approval, output)
        finally:
            await session.release_report()
        from codex_tool_exec.sandbox_denials import denial_text

        raise ToolError(denial_text(session.item, context.settings, output.hook_response or ""))

    async def _retry_without_sandbox(
        self, session: Session, attempt: Attempt, approval: CommandApproval, output: ToolOutput
    ) -> ToolOutput:
        """Run a command again without a sandbox after a denial, if hooks or the client approve.

        :raises ToolRejected: when they do not; its message contains the command's output.
        """
        context = attempt.context
        try:
            await context.approve_retry(attempt.call, attempt.request, approval)
        except ToolRejected as error:
            from codex_tool_exec.sandbox_denials import denial_text

            await session.report(declined=True)
            message = denial_text(session.item, context.settings, output.hook_response or "", refused=str(error))
            raise error.with_message(message) from error
        attempt.sandboxed = False
        return await self._initial_output(await self._start(attempt, again=session), attempt.exec_call)

    async def _initial_output(self, session: Session, exec_call: ExecCall) -> ToolOutput:
        """Wait for a command that was just started, for as long as the call asks."""
        started = time.monotonic()
        seconds = exec_call.yield_time_ms / 1000
        try:
            if await session.wait(min(SHORT_SECONDS, seconds)):
                return self._output_of(session, 0.0, exec_call.max_output_tokens)
            await session.wait(seconds - SHORT_SECONDS)
        except asyncio.CancelledError:
            # The model never gets the session's number, so no later call could refer to it.
            self._sessions.release(session.number)
            ending = self._run_in_background(self._interrupt_and_end(session), f"interrupt command {session.number}")
            # Its item is completed before the turn, unless it outlives the turn.
            await asyncio.wait({ending}, timeout=OUTLIVE_SECONDS)
            raise
        return self._output_of(session, time.monotonic() - started, exec_call.max_output_tokens)

    async def write_stdin(self, call: ToolCall, context: ToolContext) -> ToolOutput:
        """Write to a running command and wait for its output.

        :raises ToolError: when the session is unknown or does not accept input.
        """
        write_call = read_write_call(call.arguments, context.thread.config)
        session = self._sessions.get(write_call.session_id)
        if session is None:
            raise ToolError(f"write_stdin failed: Unknown process id {write_call.session_id}")
        session.used_at = time.monotonic()
        interrupts = write_call.chars.encode() == INTERRUPT and not session.tty
        if write_call.chars and not session.tty and not interrupts:
            raise ToolError(f"write_stdin failed: {STDIN_CLOSED}")
        interaction = TerminalInteraction(
            thread_id=context.thread.id,
            turn_id=context.turn_id,
            item_id=session.item.id,
            process_id=str(session.number),
            stdin=write_call.chars,
        )
        await context.emit(interaction)  # Before any output that it causes.
        if write_call.chars:
            await (self._interrupt(session) if interrupts else self._write(session, write_call))
            await session.wait(REACTION_SECONDS)
        started = time.monotonic()
        over = session.ended.is_set()
        await session.wait(write_call.yield_time_ms / 1000)
        wall_seconds = 0.0 if over else time.monotonic() - started
        return self._output_of(session, wall_seconds, write_call.max_output_tokens, later=True)

    async def kill_all(self) -> None:
        """Kill all commands because the user wants it."""
        sessions = [*self._sessions, *self._leftovers]
        for session in sessions:
            self._sessions.release(session.number)
        self._leftovers.clear()
        await asyncio.gather(*(session.kill(END_SECONDS) for session in sessions))

    async def aclose(self) -> None:
        """Kill all commands at the end of the thread."""
        sessions = [*self._sessions, *self._leftovers]
        for session in sessions:
            self._sessions.release(session.number)
        self._leftovers.clear()
        if self._profiles is not None:
            await self._profiles.aclose()
        await asyncio.gather(*(session.end(END_SECONDS) for session in sessions), *self._background_tasks)

    async def _start(self, attempt: Attempt, *, may_retry: bool = False, again: Session | None = None) -> Session:
        """Start a command.

        :param may_retry: whether a retry may follow a denial by its sandbox.
        :param again: the session of the denied first run, whose item is continued.
        """
        number = self._sessions.reserve(again.number if again is not None else None)
        context, remote = attempt.context, attempt.environment.remote
        item = attempt.item(number)
        try:
            process, launch = await attempt.start(number, self._profiles)
        except (ExecError, SandboxUnavailable) as error:
            self._sessions.release(number)
            if again is not None:
                again.hand_over()
            raise await attempt.report_not_started(error, item, announced=again is not None) from error
        events = process.events()  # From here on no output is lost.
        try:
            if again is None:
                await context.start_item(item)
            else:
                again.hand_over()
        except BaseException:
            self._sessions.release(number)
            await process.terminate()
            if launch is not None:
                launch.close()
            raise
        session = Session(
            number,
            process,
            events,
            item,
            context,
            call=attempt.call,
            tty=attempt.exec_call.tty,
            remote=remote,
            launch=launch,
            may_retry=may_retry,
            on_closed=self._leftovers.discard,
        )
        evicted = self._sessions.insert(number, session)
        if evicted is not None:
            self._end_later(evicted)
        if len(self._sessions) >= WARN_AT:
            await context.thread.add_context(
                f"{len(self._sessions)} commands are still running; at most {MAX_SESSIONS} can. Let go of those you no "
                "longer need, or the ones unused for longest are ended."
            )
        return session

    async def _interrupt(self, session: Session) -> None:
        try:
            await session.interrupt()
        except ExecError as error:
            raise ToolError(f"write_stdin failed: {error}") from error

    async def _write(self, session: Session, write_call: WriteCall) -> None:
        try:
            status = await session.process.write(write_call.chars.encode("utf-8", "surrogatepass"))
        except ExecError as error:
            self._sessions.release(session.number)
            self._end_later(session)
            raise ToolError(f"write_stdin failed: {error}") from error
        if status == "accepted":
            return
        if status != "starting":
            session.mark_exited()
        raise ToolError("write_stdin failed: failed to write to stdin")

    def _output_of(self, session: Session, wall_seconds: float, max_tokens: int, *, later: bool = False) -> ToolOutput:
        """Build the output of a call.

        :param later: whether an earlier call started the command.
        """
        over = session.ended.is_set()
        answer = CallOutput(
            command=session.item.command,
            output=session.drain(),
            wall_seconds=wall_seconds,
            exit_code=session.item.exit_code if over else None,
            session_id=session.number,
        )
        if over:
            self._sessions.release(session.number)
            if not session.closed:
                self._leftovers.add(session)
        else:
            session.used_at = time.monotonic()
        if session.problem is not None:
            raise session.problem
        if session.failure is not None:
            self._end_later(session)
            raise ToolError(f"the command was lost: {session.failure}\n{format_output(answer, max_tokens)}")
        text = format_output(answer, max_tokens)
        if not over:
            return ToolOutput(text, unfinished=True)
        if later:
            return ToolOutput(text, hook_response=session.whole_output(), finishes=session.call)
        return ToolOutput(text, hook_response=truncate_output(answer, max_tokens))

    async def _interrupt_and_end(self, session: Session) -> None:
        with suppress(ExecError):
            await session.interrupt()
            await session.wait(INTERRUPT_SECONDS)
        await session.end(END_SECONDS)

    def _end_later(self, session: Session) -> None:
        self._run_in_background(session.end(END_SECONDS), f"end command {session.number}")

    def _run_in_background(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self._background_tasks.add(task)
        task.add_done_callback(self._background_tasks.discard)
        return task


async def _delegate_patch(exec_call: ExecCall, call: ToolCall, context: ToolContext) -> ToolOutput | None:
    """Pass a command that only applies a patch to the tool ``apply_patch``."""
    import json

    from codex_hookspecs.tools import ToolCall as Call
    from codex_tool_exec.patch_command import patch_from_command

    found = patch_from_command(exec_call.cmd)
    if found is None:
        return None
    workdir = "/".join(part for part in (exec_call.workdir, found.workdir) if part) or None
    if found.workdir is not None and found.workdir.startswith("/"):
        workdir = found.workdir
    arguments = json.dumps({"input": found.patch, "workdir": workdir}, ensure_ascii=False)
    return await context.delegate(Call(call_id=call.call_id, name="apply_patch", arguments=arguments))
