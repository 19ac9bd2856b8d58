"""The scope object that implementations of lifecycle events get."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from codex_hookspecs.types.notifications import HookCompleted, HookRun, HookStarted

if TYPE_CHECKING:
    from codex_host.session.thread_state import ThreadState


class ThreadScope:
    """The scope of one event in one thread.

    :param turn_id: the turn the event belongs to, or ``None``.
    """

    def __init__(self, thread: ThreadState, turn_id: str | None) -> None:
        self.thread = thread
        self._turn_id = turn_id

    @property
    def config(self) -> Mapping[str, Any]:
        """Effective configuration table for the event's directory."""
        return self.thread.config

    async def started(self, run: HookRun) -> None:
        """Notify clients that a handler started."""
        await self.thread.notify(HookStarted(thread_id=self.thread.id, turn_id=self._turn_id, run=run))

    async def completed(self, run: HookRun) -> None:
        """Notify clients that a handler completed."""
        await self.thread.notify(HookCompleted(thread_id=self.thread.id, turn_id=self._turn_id, run=run))

    async def report(self, run: HookRun) -> None:
        """Notify clients of a completed run."""
        import attrs

        beginning = attrs.evolve(run, status="running", completed_at=None, duration_ms=None, entries=())
        await self.started(beginning)
        await self.completed(run)

    async def warn(self, message: str) -> None:
        """Warn the user, once per distinct text and thread."""
        await self.thread.warn(message)

    async def add_context(self, text: str) -> None:
        """Add a developer message to a later model request."""
        await self.thread.add_context(text)
