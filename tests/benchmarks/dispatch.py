"""What the dispatcher adds to ten implementations of one hook."""

from __future__ import annotations

import asyncio
import statistics
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, cast

from codex_hookspecs import hookimpl
from codex_hookspecs.types.lifecycle import StopEvent, StopVerdict
from codex_host.plugins.dispatch import Dispatcher
from codex_host.plugins.hooks import Hooks
from codex_host.plugins.registry import Registry
from codex_host.plugins.stats_file import StatsFile

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

COUNT: Final = 10
_ROUNDS: Final = 5
_CALLS: Final = 2000


class Watcher:
    """A plugin that looks and has no opinion."""

    @hookimpl
    async def stop(self, event: StopEvent) -> StopVerdict | None:
        return None if event.last_assistant_message != "never" else StopVerdict()


def report() -> list[str]:
    """Measure and tell microseconds a call."""
    own, all_of_it = asyncio.run(_measure())
    added = f"{all_of_it - own:.1f} us added to {own:.1f} us of their own work"
    return [f"hook dispatch, {COUNT} implementations: {all_of_it:.1f} us a call, {added}"]


async def _measure() -> tuple[float, float]:
    registry = Registry()
    plugins = [Watcher() for _ in range(COUNT)]
    for number, plugin in enumerate(plugins):
        registry.register(plugin, f"watcher-{number}")
        registry.status(f"watcher-{number}")
    hooks = Hooks(Dispatcher(registry, StatsFile(), host=cast("Any", None)))
    event = StopEvent(session_id="s", turn_id="t", cwd="/", last_assistant_message="done")
    scope = cast("Any", SimpleNamespace(warn=None, config={}))

    async def alone() -> None:
        for plugin in plugins:
            await plugin.stop(event)

    async def dispatched() -> None:
        await hooks.stop(event, scope)

    return await _time(alone), await _time(dispatched)


async def _time(call: Callable[[], Awaitable[None]]) -> float:
    samples = []
    for _ in range(_ROUNDS):
        begun = time.perf_counter()
        for _ in range(_CALLS):
            await call()
        samples.append((time.perf_counter() - begun) / _CALLS * 1e6)
    return statistics.median(samples)
