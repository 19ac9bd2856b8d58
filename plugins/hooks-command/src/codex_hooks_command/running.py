"""Run handlers' commands: all together, each in its own process group, with bounds on time and output."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Mapping, Sequence

from attrs import evolve

from codex_hookspecs.values import frozen

from .outcomes import Finished

OUTPUT_LIMIT = 1024 * 1024
"""Bytes kept of each stream; the rest is read and dropped so that the command is not held up."""

LINGER = 0.5
"""Seconds that a stream may stay open after the command has ended, because a child of it holds it."""

_REAP_LIMIT = 5.0


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


async def run_together(jobs: Sequence[Job]) -> list[Finished]:
    """Start every job at once.

    :return: how each ended, in the order given; cancellation kills the process groups of all.
    """
    order: list[int] = []

    async def run_one(number: int, job: Job) -> Finished:
        finished = await run(job)
        order.append(number)
        return finished

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(run_one(number, job)) for number, job in enumerate(jobs)]
    return [evolve(task.result(), finished_as=order.index(number)) for number, task in enumerate(tasks)]


async def run(job: Job) -> Finished:
    """Run one command to its end or its time limit."""
    started_at = time.time()
    watch = _Watch()
    try:
        transport = await _started(job, watch)
    except (OSError, ValueError) as fault:
        return Finished(error=_start_failure(job, fault), started_at=started_at, completed_at=time.time())
    error = None
    try:
        _feed(transport, job.line)
        async with asyncio.timeout(job.timeout):
            await watch.exited.wait()
        await watch.silent_or_lingering()
    except TimeoutError:
        error = f"hook timed out after {job.timeout}s"
    finally:
        await _end(transport, watch)
    status = transport.get_returncode()
    return Finished(
        stdout=watch.text(1),
        stderr=watch.text(2),
        exit_code=status if status is not None and status >= 0 else None,
        error=error,
        started_at=started_at,
        completed_at=time.time(),
    )


def shell_arguments(command: str, environment: Mapping[str, str]) -> list[str]:
    """Return the argument list that gives a command to the user's shell.

    Codex 0.118 and 0.169 run it without reading profiles: those would cost time and put another ``PATH`` in place.
    """
    if os.name == "nt":
        return [environment.get("COMSPEC") or "cmd.exe", "/C", command]
    return [environment.get("SHELL") or _account_shell(), "-c", command]


def _account_shell() -> str:
    import pwd  # not there on Windows

    try:
        shell = pwd.getpwuid(os.getuid()).pw_shell
    except KeyError:
        return "/bin/sh"
    # Accounts of services have a program there that refuses to run anything.
    usable = os.access(shell, os.X_OK) and not shell.endswith(("/nologin", "/false"))
    return shell if usable else "/bin/sh"


class _Watch(asyncio.SubprocessProtocol):
    """Keeps the beginning of both streams and tells when the process and the streams have ended.

    ``Process.wait`` of asyncio is not used: some versions of it also wait for grandchildren that hold the pipes.
    """

    def __init__(self) -> None:
        self.exited = asyncio.Event()
        self._kept = {1: bytearray(), 2: bytearray()}
        self._open = {1, 2}
        self._silent = asyncio.Event()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        kept = self._kept[fd]
        kept += data[: OUTPUT_LIMIT - len(kept)]

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        self._open.discard(fd)
        if not self._open:
            self._silent.set()

    def process_exited(self) -> None:
        self.exited.set()

    async def silent_or_lingering(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LINGER):
                await self._silent.wait()

    def text(self, fd: int) -> str:
        return self._kept[fd].decode("utf-8", "replace")


async def _started(job: Job, watch: _Watch) -> asyncio.SubprocessTransport:
    starting = asyncio.ensure_future(
        asyncio.get_running_loop().subprocess_exec(
            lambda: watch,
            *shell_arguments(job.command, job.environment),
            cwd=job.cwd,
            env=dict(job.environment),
            start_new_session=os.name != "nt",
        )
    )
    try:
        transport, _ = await asyncio.shield(starting)
    except asyncio.CancelledError:
        # The command may run already: let asyncio finish its part, then end the whole group.
        with contextlib.suppress(OSError, ValueError):
            transport, _ = await starting
            await _end(transport, watch)
        raise
    return transport


def _feed(transport: asyncio.SubprocessTransport, line: bytes) -> None:
    # The transport drops what a command that ends without reading its input has left in the pipe.
    stream = transport.get_pipe_transport(0)
    if isinstance(stream, asyncio.WriteTransport):
        stream.write(line)
        stream.close()


async def _end(transport: asyncio.SubprocessTransport, watch: _Watch) -> None:
    # Runs to its end even when the turn is being cancelled, so that no process is left unreaped.
    if not watch.exited.is_set():
        _kill_group(transport.get_pid())
    reaping = asyncio.ensure_future(asyncio.wait_for(watch.exited.wait(), _REAP_LIMIT))
    cancelled: asyncio.CancelledError | None = None
    while not reaping.done():
        try:
            await asyncio.wait([reaping])
        except asyncio.CancelledError as stop:
            cancelled = stop
    reaping.cancelled() or reaping.exception()
    transport.close()
    if cancelled is not None:
        raise cancelled


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if os.name == "nt":
            os.kill(pid, signal.SIGTERM)
        else:
            os.killpg(pid, signal.SIGKILL)


def _start_failure(job: Job, error: Exception) -> str:
    if not os.path.isdir(job.cwd):
        return f"could not start the hook: its working directory {job.cwd} is gone"
    shell = shell_arguments("", job.environment)[0]
    return f"could not start the hook with {shell}: {getattr(error, 'strerror', None) or error}"
