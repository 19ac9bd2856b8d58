"""Run handlers' commands: all together, each in its own process group, with bounds on time and output."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from attrs import evolve

from codex_hookspecs import frozen
from codex_hookspecs.environments import ExecParams, OutputChunk, ProcessEvent, ProcessExited, ProcessFailed
from codex_hookspecs.errors import ExecError
from codex_hookspecs.protocol import uuid4

from .outcomes import Finished
from .shells import shell_arguments

if TYPE_CHECKING:
    from codex_hookspecs.environments import ExecBackend, ExecProcess

OUTPUT_LIMIT = 8 * 1024 * 1024
"""Bytes kept of each stream; the rest is read and dropped so that the command is not held up."""

LINGER = 0.5
"""Seconds that a stream may stay open after the command has ended, because a child of it holds it."""

_LONGEST = 10**8
_END_LIMIT = 5.0


@frozen(kw_only=True)
class Job:
    """One command to run.

    :param line: what it reads on standard input.
    :param timeout: seconds until its process group is killed.
    """

    command: str
    line: bytes
    cwd: str
    timeout: int
    environment: Mapping[str, str]


async def run_together(backend: ExecBackend, jobs: Sequence[Job]) -> list[Finished]:
    """Start every job at once.

    :param backend: of this machine; ends the commands when the program is killed.
    :return: how each ended, in the order given; cancellation kills the process groups of all.
    """
    order: list[int] = []

    async def run_one(number: int, job: Job) -> Finished:
        finished = await run(backend, job)
        order.append(number)
        return finished

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(run_one(number, job)) for number, job in enumerate(jobs)]
    return [evolve(task.result(), finished_as=order.index(number)) for number, task in enumerate(tasks)]


async def run(backend: ExecBackend, job: Job) -> Finished:
    """Run one command to its end or its time limit."""
    started_at = time.time()
    output = _Output()
    error = None
    async with AsyncExitStack() as stack:
        try:
            process, events = await stack.enter_async_context(_started(backend, job))
        except (ExecError, OSError) as fault:
            return Finished(error=_start_failure(job, fault), started_at=started_at, completed_at=time.time())
        reading = asyncio.create_task(output.read(events))
        try:
            if not await _within(min(job.timeout, _LONGEST), output.exited):
                error = f"hook timed out after {job.timeout}s"
                await process.terminate()
                await _within(_END_LIMIT, output.exited)
            await asyncio.wait([reading], timeout=LINGER)
        finally:
            reading.cancel()
    return Finished(
        stdout=output.text("stdout"),
        stderr=output.text("stderr"),
        cut=output.cut,
        exit_code=output.exit_code,
        error=error or output.failure,
        started_at=started_at,
        completed_at=time.time(),
    )


class _Output:
    """Keeps the beginning of both streams and tells when the process has ended."""

    def __init__(self) -> None:
        self.exited = asyncio.Event()
        self.exit_code: int | None = None
        self.failure: str | None = None
        self.cut = False
        self._kept = {"stdout": bytearray(), "stderr": bytearray()}

    async def read(self, events: AsyncIterator[ProcessEvent]) -> None:
        """Read to the end of the streams, which may be held open by a child that is left behind."""
        try:
            async for event in events:
                if isinstance(event, OutputChunk):
                    kept = self._kept[event.stream]
                    room = OUTPUT_LIMIT - len(kept)
                    kept += event.data[:room]
                    self.cut = self.cut or (event.stream == "stdout" and len(event.data) > room)
                elif isinstance(event, ProcessExited):
                    self.exit_code = event.exit_code
                    self.exited.set()
                elif isinstance(event, ProcessFailed):
                    self.failure = f"the hook was lost: {event.message}"
        finally:
            self.exited.set()

    def text(self, stream: str) -> str:
        return self._kept[stream].decode("utf-8", "replace").removeprefix("\ufeff")


@asynccontextmanager
async def _started(backend: ExecBackend, job: Job) -> AsyncIterator[tuple[ExecProcess, AsyncIterator[ProcessEvent]]]:
    """Start a command and feed it; whatever ends the block early ends its whole group."""
    reader, writer = os.pipe()
    try:
        params = ExecParams(
            process_id=f"hook-{uuid4()}",
            argv=tuple(shell_arguments(job.command, job.environment)),
            cwd=job.cwd,
            env=dict(job.environment),
            stdin=reader,
        )
        process = await backend.start(params)
    except BaseException:
        os.close(writer)
        raise
    finally:
        os.close(reader)
    try:
        events = process.events()
        await _feed(writer, job.line)
        yield process, events
    except BaseException:
        await process.terminate()
        raise


async def _feed(descriptor: int, line: bytes) -> None:
    # The transport drops what a command that ends without reading its input has left in the pipe.
    transport, _ = await asyncio.get_running_loop().connect_write_pipe(
        asyncio.BaseProtocol, os.fdopen(descriptor, "wb")
    )
    transport.write(line)
    transport.close()


async def _within(seconds: float, happened: asyncio.Event) -> bool:
    waiting = asyncio.ensure_future(happened.wait())
    try:
        await asyncio.wait([waiting], timeout=seconds)
    finally:
        waiting.cancel()
    return happened.is_set()


def _start_failure(job: Job, error: Exception) -> str:
    if not os.path.isdir(job.cwd):
        return f"could not start the hook: its working directory {job.cwd} is gone"
    shell = shell_arguments("", job.environment)[0]
    return f"could not start the hook with {shell}: {getattr(error, 'strerror', None) or error}"
