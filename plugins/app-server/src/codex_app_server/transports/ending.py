"""End a server at a signal: let running turns end, interrupt those that do not, and say so."""

from __future__ import annotations

import asyncio
import math
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from codex_hookspecs.errors import ConfigError, RpcError

if TYPE_CHECKING:
    from codex_app_server.transports.stopping import Stop
    from codex_hookspecs.host import Host, LoadedThread

DRAIN_SECONDS: Final = 30.0
"""How long running turns may go on after the first signal."""
INTERRUPT_SECONDS: Final = 2.0
"""How long turns may take to end after they were interrupted."""


def read_drain_seconds(host: Host) -> float:
    """Return the setting ``drain_seconds``.

    :raises ConfigError: when it is not a number of seconds.
    """
    value = host.config.get("plugins.app-server.drain_seconds", DRAIN_SECONDS)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise ConfigError(f"plugins.app-server.drain_seconds must be a number of seconds, not {value!r}")
    return float(value)


async def drain(host: Host, stop: Stop, seconds: float) -> None:
    """Wait for the running turns, but not for ever; those that are left are interrupted."""
    running = _running(host)
    if running and seconds and not stop.now.is_set():
        turns = "1 running turn" if len(running) == 1 else f"{len(running)} running turns"
        with suppress(OSError):  # e.g. the terminal is closed
            again = "press Ctrl-C again (or send the signal again) to end at once"
            print(f"Waiting up to {seconds:g} s for {turns}; {again}", file=sys.stderr, flush=True)
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await _until(stop.now, asyncio.gather(*(thread.wait_idle() for thread in running)))
    await interrupt_turns(host)


async def interrupt_turns(host: Host) -> None:
    """Interrupt the running turns and wait for their ends, which their clients are told of, for a short time."""
    running = _running(host)
    if not running:
        return
    ends = {asyncio.create_task(_interrupt(thread)) for thread in running}
    _done, late = await asyncio.wait(ends, timeout=INTERRUPT_SECONDS)
    for end in late:
        end.cancel()
    if late:
        host.logger("app-server").warning("%s interrupted turns have not ended", len(late))
        await asyncio.wait(late)


async def _interrupt(thread: LoadedThread) -> None:
    with suppress(RpcError):  # It has ended meanwhile.
        await thread.interrupt()


def _running(host: Host) -> list[LoadedThread]:
    return [thread for thread in host.threads.loaded() if thread.active_turn_id is not None]


async def _until(event: asyncio.Event, work: Any) -> None:
    """Await some work, given up at an event."""
    task, waiter = asyncio.ensure_future(work), asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait({task, waiter}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in (task, waiter):
            each.cancel()
        await asyncio.gather(task, waiter, return_exceptions=True)
