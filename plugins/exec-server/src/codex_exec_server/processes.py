"""Serve a process: send its events in order to the session's current connection, apply each write exactly once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Protocol

from attrs import evolve

from codex_exec_server.messages import encode_json, encode_process_event
from codex_hookspecs.environments import (
    OutputChunk,
    ProcessClosed,
    ProcessEvent,
    ProcessExited,
    ProcessFailed,
    ReadResult,
    WriteStatus,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codex_hookspecs.environments import ExecProcess
    from codex_hookspecs.sandbox import Launch

CATCH_UP_SECONDS: Final = 5.0
CATCH_UP_CHUNKS: Final = 32
"""A resumed client that missed more chunks than this gets time to read them before the process's output goes on."""
LAUNCH_SECONDS: Final = 30.0
KEPT_WRITE_IDS: Final = 10_000
_END = 2**62


class Receiver(Protocol):
    """The connection that receives the events of a session's processes."""

    @property
    def paused(self) -> bool:
        """Whether the client does not read fast enough."""
        ...

    @property
    def gone(self) -> bool:
        """Whether the connection is lost."""
        ...

    def queue(self, payload: bytes) -> None:
        """Send a message soon, together with others."""
        ...

    async def room(self) -> None:
        """Wait until the client has caught up or the connection is lost."""
        ...


class ProcessOwner(Protocol):
    """The session of a process, as far as the process needs it."""

    @property
    def line(self) -> Receiver | None:
        """The current connection, or ``None``."""
        ...

    async def wait_for_client(self) -> bool:
        """Wait for the client to reconnect; ``False`` when it is no longer waited for."""
        ...

    def keep(self, process_id: str, chunk: OutputChunk) -> None:
        """Keep a sent chunk for a client that resumes without having received it."""
        ...

    def sent_chunks(self, process_id: str) -> Iterator[OutputChunk]:
        """Iterate the kept chunks of a process."""
        ...

    def forget_later(self, process_id: str) -> None:
        """Forget an exited process after the retention time."""
        ...


class ServedProcess:
    """A process of a session.

    :param launch: its sandbox, closed when the process has exited or could not be started.
    """

    def __init__(self, session: ProcessOwner, process_id: str, launch: Launch) -> None:
        self.id = process_id
        self._launch = launch
        self._denied: bool | None = None
        self._json_id = encode_json(process_id)
        self._session = session
        self._process: ExecProcess | None = None
        self._launched: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._killed = False
        self._muted = 0
        self._caught_up = asyncio.Event()
        self._caught_up.set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._writes: dict[str, asyncio.Future[WriteStatus]] = {}
        self._write_lock = asyncio.Lock()
        self._tasks: set[asyncio.Task[object]] = set()

    def begin(self, process: ExecProcess) -> None:
        """Attach the process that was just started."""
        self._process = process
        self._launched.set_result(None)
        events = process.events()
        self._own(
            asyncio.get_running_loop().create_task(self._forward_events(process, events), name=f"events of {self.id}")
        )

    def fail_start(self) -> None:
        """Note that the process could not be started."""
        if not self._launched.done():
            self._launched.set_result(None)
        self._launch.close()

    async def terminate(self) -> bool:
        """Kill the process and its descendants.

        :return: whether it was running; ``False`` also when it was killed before.
        """
        process = await self.process()
        if process is None:
            return False
        running = await process.terminate() and not self._killed
        self._killed = True
        return running

    async def process(self) -> ExecProcess | None:
        """Wait until the process is started; ``None`` when that fails."""
        if self._process is None and not self._launched.done():
            await asyncio.wait((self._launched,), timeout=LAUNCH_SECONDS)
        return self._process

    async def write(self, data: bytes, write_id: str | None) -> WriteStatus:
        """Write to stdin; a write with an id that was seen before is not repeated, only waited for."""
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
        """Pause or resume the output, as the client asks."""
        if flowing:
            self._flowing.set()
        else:
            self._flowing.clear()

    def reset_flow(self) -> None:
        """Resume output that a client paused before its connection was lost."""
        self._flowing.set()

    async def read(self, after_seq: int, max_bytes: int | None, wait: float) -> ReadResult | None:
        """Return retained output; for a client that has just resumed, also what was in flight when it lost connection.

        :return: ``None`` when the process could not be started.
        """
        process = await self.process()
        if process is None:
            return None
        if self._caught_up.is_set():
            return await self._add_sandbox_denial(
                process, await process.read(after_seq, max_bytes=max_bytes, wait=wait)
            )
        result = await self._add_sandbox_denial(process, await process.read(after_seq))
        first = result.chunks[0].seq if result.chunks else result.next_seq
        lost = tuple(chunk for chunk in self._session.sent_chunks(self.id) if after_seq < chunk.seq < first)
        self._caught_up.set()
        return limit_chunks(evolve(result, chunks=(*lost, *result.chunks)), max_bytes)

    async def mute(self) -> None:
        """Send no notifications of past events; a client that resumes reads them with ``process/read``."""
        if self._process is not None:
            self._caught_up.clear()
            self._muted = (await self._process.read(_END)).next_seq - 1

    async def aclose(self) -> None:
        """Kill the process and release its resources."""
        process = await self.process()
        if process is not None:
            await process.terminate()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._launch.close()

    async def _write(self, data: bytes) -> WriteStatus:
        process = await self.process()
        if process is None:
            return "unknownProcess"
        async with self._write_lock:
            return await process.write(data)

    async def _looks_denied(self, process: ExecProcess, exit_code: int) -> bool:
        """Tell whether the exit status and output suggest a denial by the sandbox; evaluated once."""
        if self._denied is None:
            if self._launch.sandbox_type == "none" or exit_code == 0:
                self._denied = False
            else:
                from codex_sandboxing.denial import looks_denied

                said = b"".join(chunk.data for chunk in (await process.read()).chunks)
                linux = self._launch.sandbox_type == "linuxSeccomp"
                self._denied = looks_denied(exit_code, said.decode(errors="replace"), linux=linux)
        return self._denied

    async def _add_sandbox_denial(self, process: ExecProcess, result: ReadResult) -> ReadResult:
        denied = result.exit_code is not None and await self._looks_denied(process, result.exit_code)
        return evolve(result, sandbox_denied=True) if denied else result

    async def _forward_events(self, process: ExecProcess, events: object) -> None:
        seq = 0
        async for event in events:  # type: ignore[attr-defined]
            if isinstance(event, ProcessFailed):
                await self._deliver(ProcessExited(seq + 1, -1))
                await self._deliver(ProcessClosed(seq + 2))
                break
            seq = event.seq
            if type(event) is OutputChunk and (line := self._ready_receiver(seq)) is not None:
                line.queue(encode_process_event(self._json_id, event))
                self._session.keep(self.id, event)
                continue
            if isinstance(event, ProcessExited):
                self._launch.close()  # Leftover processes of the sandbox could keep its output open.
                if await self._looks_denied(process, event.exit_code):
                    event = evolve(event, sandbox_denied=True)  # noqa: PLW2901
            if not (await self._deliver(event)) and isinstance(event, ProcessClosed):
                break
        self._launch.close()
        self._session.forget_later(self.id)

    def _ready_receiver(self, seq: int) -> Receiver | None:
        """Return the connection when an event can be sent without waiting, which is the common case."""
        line = self._session.line
        if line is None or line.gone or line.paused or seq <= self._muted or not self._flowing.is_set():
            return None
        return line

    async def _deliver(self, event: ProcessEvent) -> bool:
        """Send an event as soon as the connection and the client allow.

        :return: whether it was sent; not when the client is gone or is to read the event with ``process/read``.
        """
        seq = event.seq  # type: ignore[union-attr]
        session = self._session
        while True:
            line = session.line
            if line is None or line.gone:
                if not await session.wait_for_client():
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
                line.queue(encode_process_event(self._json_id, event))
                if isinstance(event, OutputChunk):
                    session.keep(self.id, event)
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


def limit_chunks(result: ReadResult, max_bytes: int | None) -> ReadResult:
    """Limit a result to a number of bytes; at least one chunk is kept."""
    if max_bytes is None or not result.chunks:
        return result
    size, count = 0, 0
    for chunk in result.chunks:
        size += len(chunk.data)
        if size > max_bytes and count:
            break
        count += 1
    return evolve(result, chunks=result.chunks[:count], next_seq=result.chunks[count - 1].seq + 1)
