"""What it costs to work on another machine: the same commands through a local server, and on this machine, in turns."""

from __future__ import annotations

import asyncio
import logging
import os
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from codex_exec_local.environment import LocalEnvironment
from codex_exec_remote.environment import RemoteEnvironment
from codex_exec_remote.websocket_link import Target
from codex_hookspecs.ids import uuid4
from codex_hookspecs.types.environment import ExecParams, OutputChunk
from codex_testkit.servers.exec_client import exec_server

if TYPE_CHECKING:
    from codex_hookspecs.ports.environment import Environment

ROUNDS = 60
PARALLEL = 200
FLOOD = 50_000_000
_FLOODS = 3


async def run(machine: Environment, *argv: str) -> int:
    """Run a program to its end and return how much it said."""
    params = ExecParams(process_id=uuid4(), argv=argv, cwd="/", env={"PATH": "/usr/bin:/bin"})
    process = await machine.exec.start(params)
    return sum([len(event.data) async for event in process.events() if isinstance(event, OutputChunk)])


async def _seconds(work: Callable[[], Awaitable[object]]) -> float:
    begun = time.perf_counter()
    await work()
    return time.perf_counter() - begun


async def _compare(
    machines: tuple[Environment, ...], work: Callable[[Environment], Awaitable[object]], rounds: int
) -> list[float]:
    """Return the median seconds that some work takes on each machine."""
    taken: list[list[float]] = [[] for _ in machines]
    for _ in range(rounds):
        for times, machine in zip(taken, machines, strict=True):
            times.append(await _seconds(lambda machine=machine: work(machine)))  # type: ignore[misc]
    return [statistics.median(times) for times in taken]


async def _measure() -> list[str]:
    async with exec_server() as server:
        remote = RemoteEnvironment("remote", Target(server.url), {}, logging.getLogger("codex.exec-remote"))
        machines: tuple[Environment, ...] = (LocalEnvironment(os.environ), remote)
        try:
            short = await _compare(machines, lambda machine: run(machine, "/bin/true"), ROUNDS)
            many = await _compare(
                machines, lambda machine: asyncio.gather(*(run(machine, "/bin/true") for _ in range(PARALLEL))), 3
            )
            flood = await _compare(
                machines, lambda machine: run(machine, "head", "-c", str(FLOOD), "/dev/zero"), _FLOODS
            )
            stat = await _compare(machines, lambda machine: machine.files.metadata("/etc/passwd"), ROUNDS)
        finally:
            for machine in machines:
                await machine.aclose()
    here, there = (FLOOD / seconds / 1e6 for seconds in flood)
    return [
        "environments: here, through a server",
        f"  /bin/true, start to close     {short[0] * 1e3:6.2f} ms    {short[1] * 1e3:6.2f} ms",
        f"  {PARALLEL} of them at once          {many[0] * 1e3:6.0f} ms    {many[1] * 1e3:6.0f} ms",
        f"  {FLOOD // 1_000_000} MB of output               {here:6.0f} MB/s  {there:6.0f} MB/s",
        f"  metadata of a file            {stat[0] * 1e3:6.2f} ms    {stat[1] * 1e3:6.2f} ms",
    ]


def report() -> list[str]:
    """Return the measurements as lines."""
    return asyncio.run(_measure())
