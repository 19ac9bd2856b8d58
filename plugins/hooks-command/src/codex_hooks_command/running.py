"""Run the commands of handlers concurrently, each in its own process group, with limits for time and output."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from attrs import evolve

from codex_hooks_command.results import ProcessResult
from codex_hooks_command.shells import shell_arguments
from codex_hookspecs import frozen
from codex_hookspecs.environments import ExecParams, OutputChunk, ProcessEvent, ProcessExited, ProcessFailed
from codex_hookspecs.errors import ExecError
from codex_hookspecs.protocol import uuid4

if TYPE_CHECKING:
    from codex_hookspecs.environments import ExecBackend, ExecProcess

MAX_OUTPUT_BYTES = 8 * 1024 * 1024
"""Bytes kept of each stream; the rest is read and discarded so that the command does not block."""

LINGER_SECONDS = 0.5
"""Seconds to wait for EOF after the command has exited, if one of its children keeps a stream open."""

_MAX_TIMEOUT = 10**8
_KILL_SECONDS = 5.0


@frozen(kw_only=True)
class Job:
    """A command to run.

    :param line: its standard input.
    :param timeout: seconds until its process group is killed.
    """

    command: str
    line: bytes
    cwd: str
    timeout: int
    environment: Mapping[str, str]


async def run_all(backend: ExecBackend, jobs: Sequence[Job]) -> list[ProcessResult]:
    """Run jobs concurrently; cancellation kills all their process groups.

    :param backend: process backend of this machine.
    :return: the results in the order of the jobs.
    """
    order: list[int] = []

    async def run_one(number: int, job: Job) -> ProcessResult:
        result = await run(backend, job)
        order.append(number)
        return result

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(run_one(number, job)) for number, job in enumerate(jobs)]
    return [evolve(task.result(), finish_order=order.index(number)) for number, task in enumerate(tasks)]


async def run(backend: ExecBackend, job: Job) -> ProcessResult:
    """Run a command until it exits or its timeout is over."""
    started_at = time.time()
    output = _Output()
    error = None
    async with AsyncExitStack() as stack:
        try:
            process, events = await stack.enter_async_context(_start(backend, job))
        except (ExecError, OSError) as fault:
            return ProcessResult(error=_start_failure(job, fault), started_at=started_at, completed_at=time.time())
        reading = asyncio.create_task(output.read(events))
        try:
            if not await _wait_for(min(job.timeout, _MAX_TIMEOUT), output.exited):
                error = f"hook timed out after {job.timeout}s"
                await process.terminate()
                await _wait_for(_KILL_SECONDS, output.exited)
            await asyncio.wait([reading], timeout=LINGER_SECONDS)
        finally:
            reading.cancel()
    return ProcessResult(
        stdout=output.text("stdout"),
        stderr=output.text("stderr"),
        truncated=output.truncated,
        exit_code=output.exit_code,
        error=error or output.failure,
        started_at=started_at,
        completed_at=time.time(),
    )


class _Output:
    """Collects the beginning of both streams and signals the exit of the process."""

    def __init__(self) -> None:
        self.exited = asyncio.Event()
        self.exit_code: int | None = None
        self.failure: str | None = None
        self.truncated = False
        self._stored = {"stdout": bytearray(), "stderr": bytearray()}

    async def read(self, events: AsyncIterator[ProcessEvent]) -> None:
        """Read the streams to EOF; a background process may keep them open."""
        try:
            async for event in events:
                if isinstance(event, OutputChunk):
                    kept = self._stored[event.stream]
                    room = MAX_OUTPUT_BYTES - len(kept)
                    kept += event.data[:room]
                    self.truncated = self.truncated or (event.stream == "stdout" and len(event.data) > room)
                elif isinstance(event, ProcessExited):
                    self.exit_code = event.exit_code
                    self.exited.set()
                elif isinstance(event, ProcessFailed):
                    self.failure = f"the hook was lost: {event.message}"
        finally:
            self.exited.set()

    def text(self, stream: str) -> str:
        return self._stored[stream].decode("utf-8", "replace").removeprefix("\ufeff")


@asynccontextmanager
async def _start(backend: ExecBackend, job: Job) -> AsyncIterator[tuple[ExecProcess, AsyncIterator[ProcessEvent]]]:
    """Start a command and write its input; an exception in the block kills its process group."""
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
    # The transport discards what the command has not read when it exits.
    transport, _ = await asyncio.get_running_loop().connect_write_pipe(
        asyncio.BaseProtocol, os.fdopen(descriptor, "wb")
    )
    transport.write(line)
    transport.close()


async def _wait_for(seconds: float, happened: asyncio.Event) -> bool:
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
