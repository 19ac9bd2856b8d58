"""A running command: collects its output, notifies clients, and completes its item."""

from __future__ import annotations

import asyncio
import codecs
import time
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

from attrs import evolve

from codex_hookspecs.environments import OutputChunk, ProcessEvent, ProcessExited, ProcessFailed
from codex_hookspecs.protocol import CommandOutputDelta
from codex_tool_exec.buffer import HeadTail
from codex_tool_exec.pauses import pauses_of

if TYPE_CHECKING:
    from codex_hookspecs.environments import ExecProcess
    from codex_hookspecs.protocol import CommandExecution
    from codex_hookspecs.sandbox import Launch
    from codex_hookspecs.tools import ToolCall, ToolContext

GRACE_SECONDS = 0.05
MAX_DELTAS = 10_000
INTERRUPT = b"\x03"


class Session:
    """A command that was started.

    :param number: the session's number, by which the model refers to it.
    :param events: all events of the process.
    :param item: the item as it was started.
    :param call: the call that started it.
    :param remote: whether to wait until the output is closed; otherwise only a short time after the exit.
    :param launch: its sandbox, or ``None``.
    :param may_retry: whether, after a denial by the sandbox, the item is not completed but left to a retry.
    :param on_closed: called when neither the command nor a child of it can write any more output.
    :ivar failure: why the environment lost the process, or ``None``.
    :ivar problem: the exception that prevented completing the item, or ``None``.
    """

    def __init__(
        self,
        number: int,
        process: ExecProcess,
        events: AsyncIterator[ProcessEvent],
        item: CommandExecution,
        context: ToolContext,
        *,
        call: ToolCall,
        tty: bool,
        remote: bool,
        launch: Launch | None = None,
        may_retry: bool = False,
        on_closed: Callable[[Session], None],
    ) -> None:
        self.number = number
        self.process = process
        self.item = item
        self.call = call
        self.tty = tty
        self.used_at = time.monotonic()
        self.exit_code: int | None = None
        self.failure: str | None = None
        self.problem: Exception | None = None
        self.exited = False
        self.closed = False
        self.ended = asyncio.Event()
        self._context = context
        self._remote = remote
        self._launch = launch
        self._reported_denied = False
        self._may_retry = may_retry
        self._unreported = False
        self._killed = False
        self._on_closed = on_closed
        self._began = time.monotonic()
        self._new = HeadTail()
        self._all = HeadTail()
        self._deltas = 0
        self._grace = GRACE_SECONDS
        self._decoders: dict[str, codecs.IncrementalDecoder] = {}
        self._events = events
        self._task = asyncio.create_task(self._follow(), name=f"command {number}")

    @property
    def denied(self) -> bool:
        """Whether it failed, probably because of a denial by its sandbox."""
        if self._reported_denied or self._launch is None or not self.exit_code:
            return self._reported_denied
        from codex_sandboxing.denial import looks_denied

        return looks_denied(self.exit_code, self.whole_output(), linux=self._launch.sandbox_type == "linuxSeccomp")

    def drain(self) -> bytes:
        """Return the output since the last call."""
        return self._new.drain()

    def whole_output(self) -> str:
        """Return all output; the middle is missing when it is very long."""
        return self._all.content().decode("utf-8", "replace")

    def mark_exited(self) -> None:
        """Note that the process has exited."""
        self.exited = True

    def hand_over(self) -> None:
        """Leave the completion of the item to the session of the retry."""
        self._unreported = False

    async def release_report(self) -> None:
        """Complete the item as soon as the command ends: there will be no retry."""
        self._may_retry = False
        if self._unreported:
            await self.report()

    async def wait(self, seconds: float) -> bool:
        """Wait until the command has ended, or for some time, without that of pauses.

        :return: whether it has ended.
        """
        if not self.ended.is_set():
            try:
                async with asyncio.timeout(seconds) as limit:
                    with pauses_of(self._context.thread).holding(limit):
                        await self.ended.wait()
            except TimeoutError:
                pass
        return self.ended.is_set()

    async def interrupt(self) -> None:
        """Interrupt the command, as ^C at a terminal does.

        :raises ExecError: when the environment can't.
        """
        if self.tty:
            await self.process.write(INTERRUPT)
        else:
            await self.process.interrupt()

    async def end(self, seconds: float) -> None:
        """Kill the command and its descendants, and complete its item."""
        await self.process.terminate()
        await asyncio.wait((self._task,), timeout=seconds)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def kill(self, seconds: float) -> None:
        """Kill the command because the user wants it; its item is completed with exit code -1."""
        self._killed = not self.ended.is_set()
        await self.end(seconds)

    async def _follow(self) -> None:
        try:
            try:
                await self._collect()
            except BaseException:
                await self.process.terminate()
                raise
            finally:
                self.exited = True
                if self._launch is not None:
                    self._launch.close()
                self._unreported = self._may_retry and self.failure is None and self.denied
                if not self._unreported:
                    await self.report()
        except Exception as error:
            self.problem = error
        finally:
            self.ended.set()
        while not self.closed:  # Read and discard output of remaining children, so that they are not blocked.
            self.closed = not isinstance(await anext(self._events, None), OutputChunk | ProcessExited)
        self._on_closed(self)

    async def _collect(self) -> None:
        while not self.closed and (event := await self._next()) is not None:
            await self._handle(event)
        for decoder in self._decoders.values():
            await self._emit_output(decoder.decode(b"", final=True))

    async def _next(self) -> ProcessEvent | None:
        """Return the next event, or ``None`` when the grace period after the exit is over."""
        if not self.exited or self._remote:
            return await anext(self._events, None)
        waited_from = time.monotonic()
        try:
            async with asyncio.timeout(self._grace):
                return await anext(self._events, None)
        except TimeoutError:
            return None
        finally:
            self._grace -= time.monotonic() - waited_from

    async def _handle(self, event: ProcessEvent) -> None:
        if isinstance(event, OutputChunk):
            self._new.append(event.data)
            self._all.append(event.data)
            if self._deltas < MAX_DELTAS:
                decoder = self._decoders.get(event.stream)
                if decoder is None:
                    decoder = self._decoders[event.stream] = codecs.getincrementaldecoder("utf-8")("replace")
                await self._emit_output(decoder.decode(event.data))
        elif isinstance(event, ProcessExited):
            self.exit_code = event.exit_code
            self._reported_denied = event.sandbox_denied
            self.exited = True
        elif isinstance(event, ProcessFailed):
            self.failure = event.message
            self.exited = self.closed = True
        else:
            self.closed = True

    async def _emit_output(self, text: str) -> None:
        if not text:
            return
        self._deltas += 1
        context = self._context
        await context.emit(
            CommandOutputDelta(thread_id=context.thread.id, turn_id=context.turn_id, item_id=self.item.id, delta=text)
        )

    async def report(self, *, declined: bool = False) -> None:
        """Complete the item.

        :param declined: whether a retry without a sandbox was declined.
        """
        self._unreported = False
        code = -1 if self.exit_code is None or self._killed else self.exit_code
        self.item = evolve(
            self.item,
            status="declined" if declined else "completed" if code == 0 else "failed",
            aggregated_output=self.whole_output() or None,
            exit_code=code,
            duration_ms=int((time.monotonic() - self._began) * 1000),
        )
        await self._context.complete_item(self.item)
        if self.failure is not None:
            from codex_hookspecs.protocol import WarningNotice

            text = f"the command `{self.item.command}` was lost: {self.failure}"
            await self._context.emit(WarningNotice(message=text, thread_id=self._context.thread.id))
