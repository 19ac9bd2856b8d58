"""Serve one process: tell its events in order to whichever connection its session has, take its writes once each."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from codex_exec_server.messages import encode, process_event
from codex_hookspecs.types.environment import ProcessClosed, ProcessEvent, ProcessExited, ProcessFailed, WriteStatus

if TYPE_CHECKING:
    from codex_exec_server.sessions import Session
    from codex_hookspecs.ports.environment import ExecProcess

CATCH_UP_SECONDS: Final = 5.0
CATCH_UP_CHUNKS: Final = 32
"""A resumed client that missed more than this is given time to read it before more is produced."""
LAUNCH_SECONDS: Final = 30.0
KEPT_WRITE_IDS: Final = 10_000
_END = 2**62


class ServedProcess:
    """A process of a session.

    :ivar sandbox_type: what holds its policy.
    """

    def __init__(self, session: Session, process_id: str) -> None:
        self.id = process_id
        self.sandbox_type = "none"
        self._json_id = encode(process_id)
        self._session = session
        self._process: ExecProcess | None = None
        self._launched: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._killed = False
        self._muted = 0
        self._caught_up = asyncio.Event()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._writes: dict[str, asyncio.Future[WriteStatus]] = {}
        self._write_lock = asyncio.Lock()
        self._tasks: set[asyncio.Task[object]] = set()

    def begin(self, process: ExecProcess) -> None:
        """Take over a process that was just started."""
        self._process = process
        self._launched.set_result(None)
        events = process.events()
        self._own(asyncio.get_running_loop().create_task(self._tell(events), name=f"events of {self.id}"))

    def failed(self) -> None:
        """Note that there is no process: it could not be started."""
        if not self._launched.done():
            self._launched.set_result(None)

    async def terminate(self) -> bool:
        """Kill it with all its children.

        :return: whether it was running; not when it was killed before.
        """
        process = await self.process()
        if process is None:
            return False
        running = await process.terminate() and not self._killed
        self._killed = True
        return running

    async def process(self) -> ExecProcess | None:
        """Return the process as soon as it is launched; ``None`` when it could not be."""
        if self._process is None and not self._launched.done():
            await asyncio.wait((self._launched,), timeout=LAUNCH_SECONDS)
        return self._process

    async def write(self, data: bytes, write_id: str | None) -> WriteStatus:
        """Write to stdin; a write that came before is not done again, only waited for."""
        known = self._writes.get(write_id) if write_id is not None else None
        if known is None:
            known = asyncio.get_running_loop().create_task(self._write(data), name=f"write to {self.id}")
            self._own(known)
            if write_id is not None:
                self._writes[write_id] = known
                if len(self._writes) > KEPT_WRITE_IDS:
                    del self._writes[next(iter(self._writes))]
        return await asyncio.shield(known)

    def set_flow(self, *, flowing: bool) -> None:
        """Hold up the process's output for a client whose reader is behind, or let it go on."""
        if flowing:
            self._flowing.set()
        else:
            self._flowing.clear()

    def let_flow(self) -> None:
        """Forget what a client that is gone wanted."""
        self._flowing.set()

    def caught_up(self) -> None:
        """Note that a resumed client has read what it missed."""
        self._caught_up.set()

    async def mute(self) -> None:
        """Tell nothing of what has happened until now; a resumed client reads it."""
        if self._process is not None:
            self._caught_up.clear()
            self._muted = (await self._process.read(_END)).next_seq - 1

    async def aclose(self) -> None:
        """Kill it, let go of it."""
        process = await self.process()
        if process is not None:
            await process.terminate()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _write(self, data: bytes) -> WriteStatus:
        process = await self.process()
        if process is None:
            return "unknownProcess"
        async with self._write_lock:
            return await process.write(data)

    async def _tell(self, events: object) -> None:
        seq = 0
        async for event in events:  # type: ignore[attr-defined]
            if isinstance(event, ProcessFailed):
                await self._deliver(ProcessExited(seq + 1, -1))
                await self._deliver(ProcessClosed(seq + 2))
                break
            seq = event.seq
            if not (await self._deliver(event)) and isinstance(event, ProcessClosed):
                break
        self._session.retire(self.id)

    async def _deliver(self, event: ProcessEvent) -> bool:
        """Send an event when its time has come.

        :return: whether it was sent; it is not when nobody listens or it is old news.
        """
        seq = event.seq  # type: ignore[union-attr]
        session = self._session
        while True:
            line = session.line
            if line is None:
                if not await session.held():
                    return False
            elif seq <= self._muted:
                if self._muted - seq >= CATCH_UP_CHUNKS and not self._caught_up.is_set():
                    await self._wait(self._caught_up, CATCH_UP_SECONDS)
                return False
            elif not self._flowing.is_set():
                await self._flowing.wait()
            elif line.paused:
                await line.room()
            else:
                line.queue(process_event(self._json_id, event))
                return True

    async def _wait(self, event: asyncio.Event, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            event.set()

    def _own(self, task: asyncio.Task[object] | asyncio.Task[WriteStatus]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
