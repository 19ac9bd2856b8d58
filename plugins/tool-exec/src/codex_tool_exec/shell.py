"""Run the two tools for one thread and own the commands they start."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from codex_hookspecs.errors import ExecError, SandboxUnavailable, ToolError, ToolRejected
from codex_hookspecs.protocol import TerminalInteraction
from codex_hookspecs.tools import ToolOutput
from codex_tool_exec.answers import Answer, answer_text, shown_output
from codex_tool_exec.calls import ExecCall, WriteCall, read_exec_call, read_write_call
from codex_tool_exec.commands import make_command
from codex_tool_exec.profile import Profiles
from codex_tool_exec.session import INTERRUPT, Session
from codex_tool_exec.starting import Attempt
from codex_tool_exec.store import MOST, WARN_AT, SessionStore

if TYPE_CHECKING:
    from codex_hookspecs.tools import CommandApproval, ToolCall, ToolContext

SHORT_SECONDS = 0.15
REACTION_SECONDS = 0.1
END_SECONDS = 2.0
INTERRUPT_SECONDS = 2.0
"""How long a command that was interrupted with its turn may take to end by itself."""
STDIN_CLOSED = "stdin is closed for this session; rerun exec_command with tty=true to keep stdin open"


class Shell:
    """The commands of one thread.

    :param environ: environment variables of the program.
    :param with_additional: single calls may ask for more than the sandbox policy allows.
    :param profile_once: what a login shell's profile sets is found out once, for all commands.
    """

    def __init__(
        self, environ: Mapping[str, str], *, with_additional: bool = False, profile_once: bool = False
    ) -> None:
        self._environ = environ
        self._profiles = Profiles() if profile_once else None
        self._with_additional = with_additional
        self._sessions: SessionStore[Session] = SessionStore()
        self._left: set[Session] = set()
        self._endings: set[asyncio.Task[None]] = set()

    async def exec_command(self, call: ToolCall, context: ToolContext) -> ToolOutput:
        """Start a command and wait for it, for as long as the call says.

        :raises ToolError: when it can't be started or may not run.
        """
        wanted = read_exec_call(call.arguments, context.thread.config)
        if "*** Begin Patch" in wanted.cmd:
            patched = await _patched(wanted, call, context)
            if patched is not None:
                return patched
        environment = await context.environment()
        command = await make_command(wanted, environment, context, self._environ)
        requested_permissions = None
        if wanted.permissions != "use_default":
            from codex_tool_exec.grants import wanted_beyond

            requested_permissions = wanted_beyond(
                wanted, command.cwd, context, environment, possible=self._with_additional
            )
        attempt = Attempt(
            command,
            wanted,
            call,
            context,
            environment,
            requested_permissions=requested_permissions,
        )
        approval = await attempt.approve()
        session = await self._start(attempt, may_retry=attempt.boxed and approval.retry != "no")
        try:
            output = await self._first_answer(session, wanted)
            if not (session.over.is_set() and session.denied):
                return output
            if approval.retry != "no":
                return await self._without_sandbox(session, attempt, approval, output)
        finally:
            await session.let_go()
        from codex_tool_exec.denials import denied_text

        raise ToolError(denied_text(session.item, context.settings, output.hook_response or ""))

    async def _without_sandbox(
        self, session: Session, attempt: Attempt, approval: CommandApproval, output: ToolOutput
    ) -> ToolOutput:
        """Run a command again that its sandbox kept from working, if hooks or the client agree.

        :raises ToolRejected: when they don't; it tells what the command wrote.
        """
        context = attempt.context
        try:
            await context.approve_retry(attempt.call, attempt.request, approval)
        except ToolRejected as error:
            from codex_tool_exec.denials import denied_text

            await session.report(declined=True)
            told = denied_text(session.item, context.settings, output.hook_response or "", refused=str(error))
            raise error.with_message(told) from error
        attempt.boxed = False
        return await self._first_answer(await self._start(attempt, again=session), attempt.wanted)

    async def _first_answer(self, session: Session, wanted: ExecCall) -> ToolOutput:
        """Wait for a command that was just started, for as long as the call says."""
        started = time.monotonic()
        seconds = wanted.yield_time_ms / 1000
        try:
            if await session.wait(min(SHORT_SECONDS, seconds)):
                return self._answer(session, 0.0, wanted.max_output_tokens)
            await session.wait(started + seconds - time.monotonic())
        except asyncio.CancelledError:
            # Nobody has its number, so nobody could ever talk to it again.
            self._sessions.release(session.number)
            self._finish(self._interrupted(session), f"interrupt command {session.number}")
            raise
        return self._answer(session, time.monotonic() - started, wanted.max_output_tokens)

    async def write_stdin(self, call: ToolCall, context: ToolContext) -> ToolOutput:
        """Write to a command, wait for what it says to that.

        :raises ToolError: when there is no such command or it takes no input.
        """
        wanted = read_write_call(call.arguments, context.thread.config)
        session = self._sessions.get(wanted.session_id)
        if session is None:
            raise ToolError(f"write_stdin failed: Unknown process id {wanted.session_id}")
        session.used_at = time.monotonic()
        interrupts = wanted.chars.encode() == INTERRUPT and not session.tty
        if wanted.chars and not session.tty and not interrupts:
            raise ToolError(f"write_stdin failed: {STDIN_CLOSED}")
        interaction = TerminalInteraction(
            thread_id=context.thread.id,
            turn_id=context.turn_id,
            item_id=session.item.id,
            process_id=str(session.number),
            stdin=wanted.chars,
        )
        await context.emit(interaction)  # Before anything that the command says to it.
        if wanted.chars:
            await (self._interrupt(session) if interrupts else self._write(session, wanted))
            await session.wait(REACTION_SECONDS)
        started = time.monotonic()
        over = session.over.is_set()
        await session.wait(wanted.yield_time_ms / 1000)
        wall_seconds = 0.0 if over else time.monotonic() - started
        return self._answer(session, wall_seconds, wanted.max_output_tokens, later=True)

    async def aclose(self) -> None:
        """Kill everything that was started, as the thread ends."""
        sessions = [*self._sessions, *self._left]
        for session in sessions:
            self._sessions.release(session.number)
        self._left.clear()
        if self._profiles is not None:
            await self._profiles.aclose()
        await asyncio.gather(*(session.end(END_SECONDS) for session in sessions), *self._endings)

    async def _start(self, attempt: Attempt, *, may_retry: bool = False, again: Session | None = None) -> Session:
        """Start a command.

        :param may_retry: it will be asked about if its sandbox keeps it from working.
        :param again: what became of it in its sandbox; its item goes on.
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
            raise await attempt.not_started(error, item, announced=again is not None) from error
        events = process.events()  # From here on nothing it says can be dropped.
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
            tty=attempt.wanted.tty,
            remote=remote,
            launch=launch,
            may_retry=may_retry,
            on_closed=self._left.discard,
        )
        evicted = self._sessions.insert(number, session)
        if evicted is not None:
            self._end_later(evicted)
        if len(self._sessions) >= WARN_AT:
            await context.thread.add_context(
                f"{len(self._sessions)} commands are still running; at most {MOST} can. Let go of those you no longer "
                "need, or the ones unused for longest are ended."
            )
        return session

    async def _interrupt(self, session: Session) -> None:
        try:
            await session.interrupt()
        except ExecError as error:
            raise ToolError(f"write_stdin failed: {error}") from error

    async def _write(self, session: Session, wanted: WriteCall) -> None:
        try:
            status = await session.process.write(wanted.chars.encode("utf-8", "surrogatepass"))
        except ExecError as error:
            self._sessions.release(session.number)
            self._end_later(session)
            raise ToolError(f"write_stdin failed: {error}") from error
        if status == "accepted":
            return
        if status != "starting":
            session.mark_exited()
        raise ToolError("write_stdin failed: failed to write to stdin")

    def _answer(self, session: Session, wall_seconds: float, max_tokens: int, *, later: bool = False) -> ToolOutput:
        """Return what a call found.

        :param later: another call has started the command.
        """
        over = session.over.is_set()
        answer = Answer(
            command=session.item.command,
            output=session.drain(),
            wall_seconds=wall_seconds,
            exit_code=session.item.exit_code if over else None,
            session_id=session.number,
        )
        if over:
            self._sessions.release(session.number)
            if not session.closed:
                self._left.add(session)
        else:
            session.used_at = time.monotonic()
        if session.problem is not None:
            raise session.problem
        if session.failure is not None:
            self._end_later(session)
            raise ToolError(f"the command was lost: {session.failure}\n{answer_text(answer, max_tokens)}")
        text = answer_text(answer, max_tokens)
        if not over:
            return ToolOutput(text, unfinished=True)
        if later:
            return ToolOutput(text, hook_response=session.whole_output(), finishes=session.call)
        return ToolOutput(text, hook_response=shown_output(answer, max_tokens))

    async def _interrupted(self, session: Session) -> None:
        with suppress(ExecError):
            await session.interrupt()
            await session.wait(INTERRUPT_SECONDS)
        await session.end(END_SECONDS)

    def _end_later(self, session: Session) -> None:
        self._finish(session.end(END_SECONDS), f"end command {session.number}")

    def _finish(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._endings.add(task)
        task.add_done_callback(self._endings.discard)


async def _patched(wanted: ExecCall, call: ToolCall, context: ToolContext) -> ToolOutput | None:
    """Give a command that is nothing but a patch to the tool for patches."""
    import json

    from codex_hookspecs.tools import ToolCall as Call
    from codex_tool_exec.patch_command import patch_from_command

    found = patch_from_command(wanted.cmd)
    if found is None:
        return None
    workdir = "/".join(part for part in (wanted.workdir, found.workdir) if part) or None
    if found.workdir is not None and found.workdir.startswith("/"):
        workdir = found.workdir
    arguments = json.dumps({"input": found.patch, "workdir": workdir}, ensure_ascii=False)
    return await context.delegate(Call(call_id=call.call_id, name="apply_patch", arguments=arguments))
