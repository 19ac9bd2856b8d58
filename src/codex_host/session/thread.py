"""Control one thread: start, steer and interrupt turns, and close the thread."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from codex_hookspecs.errors import RpcError
from codex_hookspecs.ids import uuid7
from codex_hookspecs.types.notifications import ErrorNotice, ThreadStatusChanged, TurnCompleted, TurnStarted
from codex_hookspecs.types.storage import TurnEnded, TurnsDropped
from codex_hookspecs.types.threads import Turn, TurnError
from codex_host.session.response_items import text_of
from codex_host.session.thread_state import ThreadState
from codex_host.session.turn import TurnRun
from codex_host.session.turn_state import CURRENT_TURN
from codex_host.shutdown import CLEANUP_LIMIT, close_all

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from codex_hookspecs.ports.storage import ThreadStore
    from codex_hookspecs.ports.threads import Action, Listener, RequestHandler
    from codex_hookspecs.types.json import JsonObject
    from codex_hookspecs.types.threads import ThreadSettings


class HostThread(ThreadState):
    """One loaded thread, with the interface for front ends."""

    closed = False
    _turn: TurnRun | None = None
    _ending: asyncio.Task[None] | None = None
    _changing: asyncio.Task[None] | None = None

    async def submit(
        self, content: Sequence[JsonObject], *, settings: ThreadSettings | None = None, review: str | None = None
    ) -> str:
        """Start a turn, or steer the running one."""
        self._check_open()
        turn_id = uuid7()
        if not content:
            if self._turn is None:
                await self.set_status({"type": "systemError"})
            error = TurnError("input must not be empty", "badRequest")
            await self.notify(ErrorNotice(error=error, will_retry=False, thread_id=self.id, turn_id=turn_id))
            return turn_id
        if settings is not None:
            self.settings = settings
        turn = await self._join(lambda turn: turn.add(content))
        if turn is None:
            self.preview = self.preview or text_of(content)
            turn = self._begin(TurnRun(self, turn_id, content, review=review))
        turn.state.ids.add(turn_id)
        return turn_id

    async def act(self, action: Action) -> str:
        """Perform an action of the user in the running turn, or in a turn of its own."""
        self._check_open()
        turn = await self._join(lambda turn: turn.act(action))
        if turn is None:
            turn = self._begin(TurnRun(self, uuid7(), None, action=action))
        return turn.id

    async def inject(self, items: Sequence[JsonObject]) -> None:
        """Add items to the model's history, before the next request of a running turn."""
        self._check_open()
        if await self._join(lambda turn: turn.inject(items)) is None:
            await self.begin_file()
            await self.remember(self.last_turn_id, *items)

    async def steer(self, content: Sequence[JsonObject], *, expected_turn_id: str) -> str:
        """Add a message to the running turn."""
        self._check_open()
        turn = self._turn
        if turn is None or not turn.open:
            raise RpcError("no active turn to steer")
        if turn.id != expected_turn_id:
            raise RpcError(f"expected active turn id `{expected_turn_id}` but found `{turn.id}`")
        if turn.state.review is not None:
            info = {"activeTurnNotSteerable": {"turnKind": "review"}}
            raise RpcError("cannot steer a review turn", data={"codexErrorInfo": info})
        if not content:
            raise RpcError("input must not be empty")
        turn.add(content)
        return turn.id

    async def roll_back(self, count: int) -> None:
        """Remove the last turns; what is started or added meanwhile waits."""
        self._check_open()
        if self.active_turn_id is None:
            await self.wait_idle()
            await self._changed()
        if self._turn is not None:
            raise RpcError("Cannot rollback while a turn is in progress.")
        if self._writer is None or self._store is None:
            raise RpcError("thread rollback requires a persisted rollout path")
        self._changing = asyncio.create_task(self._roll_back(count, self._store), name=f"rollback {self.id}")
        await asyncio.shield(self._changing)

    def is_running(self, turn_id: str) -> bool:
        """Return whether an id is one of the running turn."""
        return self._turn is not None and turn_id in self._turn.state.ids

    async def interrupt(self, turn_id: str | None = None) -> None:
        """End the running turn as interrupted and wait until it has ended."""
        if self._turn is None:
            raise RpcError("no active turn to interrupt")
        if turn_id is not None and not self.is_running(turn_id):
            raise RpcError(f"expected active turn id `{turn_id}` but found `{self._turn.id}`")
        self._turn.interrupt()
        await self.wait_idle()

    async def wait_idle(self) -> None:
        """Return when no turn is running."""
        while self._ending is not None and not self._ending.done() and self._ending is not asyncio.current_task():
            await asyncio.wait({self._ending})

    def rename(self, name: str) -> None:
        """Set the name, which the store already has."""
        self._name = name

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Add a listener; the returned function removes it."""
        return self.clients.listen(listener)

    def set_request_handler(self, handler: RequestHandler | None) -> None:
        """Set the handler of requests to the client."""
        self.clients.request_handler = handler

    async def set_status(self, status: JsonObject) -> None:
        """Set the thread's status and notify clients."""
        self.status = status
        await self.notify(ThreadStatusChanged(thread_id=self.id, status=status))

    async def aclose(self) -> None:
        """Interrupt the turn, run the end hooks, and release all resources; may be called twice."""
        if self.closed:
            return
        self.closed = True
        if self._changing is not None:
            await asyncio.wait({self._changing})
        if self._turn is not None:
            self._turn.interrupt()
            await self.wait_idle()
        if self.hooks.session_end.enabled(self) and self.start_source is None:
            from codex_hookspecs.types.lifecycle import SessionEndEvent
            from codex_host.session.hook_scope import ThreadScope

            event = SessionEndEvent(session_id=self.id, transcript_path=self.path, cwd=self.settings.cwd)
            await self.hooks.session_end(event, ThreadScope(self, None))
        closers = [*reversed(self._cleanups), self.model.aclose]
        await close_all(self.host, f"thread {self.id}", closers, seconds=CLEANUP_LIMIT)
        if self._writer is not None:
            await close_all(self.host, f"thread {self.id}", [self._writer.aclose])

    def _check_open(self) -> None:
        if self.closed:
            raise RpcError(f"thread not found: {self.id}")

    async def _join(self, join: Callable[[TurnRun], bool]) -> TurnRun | None:
        """Let something join the running turn, waiting for the end of one that takes nothing any more.

        :return: the turn, or ``None`` when none is running; then the caller can start one before its next ``await``.
        :raises RpcError: when the thread was closed meanwhile.
        """
        while (turn := self._turn) is not None or self._changing is not None:
            if turn is None:
                await self._changed()
                continue
            if join(turn):
                return turn
            if self._ending is asyncio.current_task():
                break
            await self.wait_idle()
            self._check_open()
        return None

    async def _roll_back(self, count: int, store: ThreadStore) -> None:
        try:
            await store.show(self.id, turns=False)
            await self.record(TurnsDropped(count))
            self.restore(await store.read(self.id))
        finally:
            self._changing = None

    async def _changed(self) -> None:
        """Wait for a rollback that is going on.

        :raises RpcError: when the thread was closed meanwhile.
        """
        while self._changing is not None:
            await asyncio.wait({self._changing})
        self._check_open()

    def _begin(self, run: TurnRun) -> TurnRun:
        self._turn, self.active_turn_id, self.last_turn_id = run, run.id, run.id
        self._ending = asyncio.create_task(self._supervise(run), name=f"turn {run.id}")
        return run

    async def _supervise(self, run: TurnRun) -> None:
        CURRENT_TURN.set((self.id, run.id))
        began = time.monotonic()
        started_at = int(time.time())
        self.keep_turn(Turn(id=run.id, status="inProgress", started_at=started_at))
        await self.set_status({"type": "active", "activeFlags": []})
        await self.notify(
            TurnStarted(thread_id=self.id, turn=Turn(id=run.id, status="inProgress", started_at=started_at))
        )
        status, error = await run.finish()
        duration = int((time.monotonic() - began) * 1000)
        said = run.state.last_message
        ended = TurnEnded(turn_id=run.id, status=status, error=error, last_agent_message=said, duration_ms=duration)
        try:
            if run.state.entered_review:
                from codex_host.session.reviewing import leave_review

                await leave_review(run.state, status)
            await self.record(ended)
        except Exception as failure:
            first = "" if error is None else f"{error.message}; "
            status, error = "failed", TurnError(f"{first}the turn can't be kept: {failure}", "other")
        turn = Turn(
            id=run.id,
            status=status,
            error=error,
            started_at=started_at,
            completed_at=int(time.time()),
            duration_ms=duration,
        )
        self.keep_turn(turn)
        self.active_turn_id = None
        await self.set_status({"type": "systemError" if error else "idle"})
        if error is not None:
            await self.notify(ErrorNotice(error=error, will_retry=False, thread_id=self.id, turn_id=run.id))
        await self.notify(TurnCompleted(thread_id=self.id, turn=turn))
        if self._turn is run:
            self._turn = None
