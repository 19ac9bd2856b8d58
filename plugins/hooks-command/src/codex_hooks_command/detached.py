"""Background runs of ``async`` handlers; they end with their thread at the latest."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from codex_hookspecs.host import AgentThread


class DetachedRuns:
    """Tasks by thread, cancelled and awaited when the thread is unloaded."""

    def __init__(self) -> None:
        self._tasks: dict[str, set[asyncio.Task[None]]] = {}

    def start(self, thread: AgentThread, run: Coroutine[Any, Any, None]) -> None:
        """Start a run.

        :param run: handles its own failures.
        """
        if thread.id not in self._tasks:
            self._tasks[thread.id] = set()
            thread.on_close(lambda: self._end(thread.id))
        running = self._tasks[thread.id]
        task = asyncio.create_task(run)
        running.add(task)
        task.add_done_callback(running.discard)

    async def _end(self, thread_id: str) -> None:
        tasks = self._tasks.pop(thread_id, set())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
