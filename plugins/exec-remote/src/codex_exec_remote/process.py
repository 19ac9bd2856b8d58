"""Follow one process on another machine: its events in order and each once, its stdin, its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final, cast

from codex_exec_remote.client import Client
from codex_exec_remote.dialect import Garbled, Numbered, read_event, read_reading, write_params
from codex_exec_remote.sequence import Sequence
from codex_hookspecs.environments import (
    ExecParams,
    OutputChunk,
    ProcessEvent,
    ProcessExited,
    ProcessFeed,
    ReadResult,
    WriteStatus,
)
from codex_hookspecs.errors import EnvironmentLost, ExecError, RpcError
from codex_hookspecs.protocol import JsonObject, uuid4

GAP_SECONDS: Final = 1.0
"""How long an event may be missing before it is asked for."""
TERMINATE_SECONDS: Final = 5.0
SLOW_WRITE_SECONDS: Final = 1.0
WRITE_BYTES: Final = 64 * 1024
OUTPUT_LOST: Final = "output was lost while there was no connection to the exec-server"
TOO_FAST: Final = "output was lost: it came faster than it could be read from this exec-server"
_STATUSES = ("accepted", "unknownProcess", "stdinClosed", "starting")
_UNKNOWN_METHOD = -32601


class RemoteProcess:
    """A process that was asked for.

    :ivar launched: whether the server has said that it runs.
    :ivar out_of_reach: whether it could not be terminated; the server does so when it has lost the session for long.
    """

    def __init__(self, client: Client, params: ExecParams) -> None:
        self.launched = False
        self.out_of_reach = False
        self._client = client
        self._id = params.process_id
        self._tty = params.tty
        self._takes_input = params.tty or params.pipe_stdin
        self._loop = asyncio.get_running_loop()
        self._room = asyncio.Event()
        self._feed = ProcessFeed(on_room=self._let_flow)
        self._order = Sequence()
        self._held = False
        self._patient = False
        self._stale = False
        self._reading: asyncio.Task[None] | None = None
        self._gap: asyncio.TimerHandle | None = None
        self._over: asyncio.Future[None] = self._loop.create_future()
        self._write_lock = asyncio.Lock()
        self._writing_since: float | None = None

    @property
    def process_id(self) -> str:
        """Id chosen at the start."""
        return self._id

    @property
    def over(self) -> bool:
        """Whether nothing more will come."""
        return self._feed.log.closed

    @property
    def write_stalled(self) -> bool:
        """Whether a write waits for the program to read."""
        since = self._writing_since
        return since is not None and self._loop.time() - since > SLOW_WRITE_SECONDS

    async def read(self, after_seq: int = 0, *, max_bytes: int | None = None, wait: float = 0) -> ReadResult:
        """Return retained output newer than a sequence number."""
        return await self._feed.read(after_seq, max_bytes=max_bytes, wait=wait)

    def events(self) -> AsyncIterator[ProcessEvent]:
        """Iterate the events; a slow reader holds up the process."""
        return self._feed.events()

    async def write(self, data: bytes) -> WriteStatus:
        """Queue bytes for stdin, each once whatever happens to the connection.

        :raises ExecError: when the process or the connection is lost.
        """
        if not self._takes_input:
            return "stdinClosed"
        view = memoryview(data)
        async with self._write_lock:
            for start in range(0, max(len(view), 1), WRITE_BYTES):
                status = await self._write(bytes(view[start : start + WRITE_BYTES]))
                if status != "accepted":
                    return status
        return "accepted"

    async def interrupt(self) -> None:
        """Interrupt the process group."""
        if self._feed.log.exited:
            return
        try:
            await self._client.call("process/signal", {"processId": self._id, "signal": "interrupt"})
        except RpcError as error:
            if error.code != _UNKNOWN_METHOD:
                raise ExecError(error.message, code=error.code) from error
            if not self._tty:
                raise ExecError("this exec-server can't interrupt processes", code=error.code) from error
            await self.write(b"\x03")

    async def resize(self, rows: int, columns: int) -> None:
        """Change the window size, on a server that can."""
        if self._tty and self._client.capable("processResize") and not self._feed.log.exited:
            await self._client.call("process/resize", {"processId": self._id, "rows": rows, "columns": columns})

    async def terminate(self) -> bool:
        """Kill the whole process group; a server that does not answer is asked on a new connection."""
        if self._feed.log.closed and self._feed.log.failure is None:
            return False
        if self.out_of_reach and not self._client.connected:
            return False  # That was waited for once.
        self._patient = True
        self._let_flow()
        params = {"processId": self._id}
        try:
            try:
                result = await self._client.call("process/terminate", params, seconds=TERMINATE_SECONDS)
            except EnvironmentLost:
                if self._client.dead is not None or not self._client.connected or self._client.dialect == "A":
                    raise
                # Servers that do one thing after the other may be busy with a write that waits for the program.
                self._client.renew("no answer to process/terminate")
                result = await self._client.call("process/terminate", params, seconds=TERMINATE_SECONDS)
        except (EnvironmentLost, RpcError):
            self.out_of_reach = True
            return False
        return isinstance(result, dict) and result.get("running") is True

    async def wait_over(self, seconds: float) -> None:
        """Return when nothing more will come, at the latest after some seconds."""
        await asyncio.wait((self._over,), timeout=seconds)

    def notified(self, method: str, params: JsonObject) -> None:
        """Take a notification."""
        event = read_event(method, params)
        if event is None:
            self.catch_up()
            return
        self._take(self._order.add(event))
        if self._order.early and self._gap is None:
            self._gap = self._loop.call_later(GAP_SECONDS, self._look_for_gap)

    def resumed(self) -> None:
        """Make up for what was missed."""
        if self._held:
            self._tell_flow()
        if self.launched:
            self.catch_up()

    def lost(self, message: str) -> None:
        """End: nothing more will come."""
        self._feed.fail(message)
        self._finish()

    def catch_up(self) -> None:
        """Read what there is, soon."""
        self._stale = True
        if self._reading is None or self._reading.done():
            self._reading = self._loop.create_task(self._read_on(), name=f"read {self._id}")
            self._client.own(self._reading)

    async def _read_on(self) -> None:
        while self._stale and not self.over:
            self._stale = False
            while self._feed.full and not self._patient:
                self._room.clear()
                await self._room.wait()
            try:
                await self._read_once()
            except RpcError as error:
                self.lost(error.message)
            except Garbled as error:
                self._client.renew(f"the server sent a reading that can't be read: {error}")
            except EnvironmentLost as error:
                if self._client.dead is None:
                    self._client.renew(str(error))

    async def _read_once(self) -> None:
        after = self._order.last
        result = await self._client.call("process/read", {"processId": self._id, "afterSeq": after, "waitMs": 0})
        after, known = self._order.last, self._order.early
        exited = self._feed.log.exited or self._order.early_exit(ProcessExited)
        reading = read_reading(result, after, known, exit_known=exited)
        if reading.gap:
            self.lost(OUTPUT_LOST if self._client.resumes else TOO_FAST)
            return
        for event in reading.events:
            self._take(self._order.add(event))
        if reading.failure is not None:
            self.lost(reading.failure)

    def _look_for_gap(self) -> None:
        self._gap = None
        if self._order.early and not self.over:
            self.catch_up()
            self._gap = self._loop.call_later(GAP_SECONDS, self._look_for_gap)

    def _take(self, events: list[Numbered]) -> None:
        for event in events:
            if type(event) is OutputChunk:
                self._feed.output(event.stream, event.data)
            elif type(event) is ProcessExited:
                self._feed.exit(event.exit_code, sandbox_denied=event.sandbox_denied)
            else:
                self._feed.close()
                self._finish()
        if self._feed.full and not self._held and not self._patient:
            self._held = True
            self._tell_flow()

    def _let_flow(self) -> None:
        self._room.set()
        if self._held:
            self._held = False
            self._tell_flow()

    def _tell_flow(self) -> None:
        if self._client.capable("processFlow"):
            self._client.post("process/setFlow", {"processId": self._id, "flowing": not self._held})
        else:
            self._client.hold(self._id, held=self._held)

    def _finish(self) -> None:
        self._client.processes.pop(self._id, None)
        self._client.hold(self._id, held=False)
        self._room.set()
        if self._gap is not None:
            self._gap.cancel()
        if not self._over.done():
            self._over.set_result(None)

    async def _write(self, data: bytes) -> WriteStatus:
        if self._feed.log.failure is not None:
            raise EnvironmentLost(self._feed.log.failure)
        params = write_params(self._client.dialect, self._id, data, uuid4())
        asking = self._loop.create_task(self._client.call("process/write", params, seconds=None))
        self._writing_since = self._loop.time()
        try:
            # A program that is over takes everything and reads nothing.
            await asyncio.wait((asking, self._over), return_when=asyncio.FIRST_COMPLETED)
            if not asking.done():
                if self._feed.log.failure is not None:
                    raise EnvironmentLost(self._feed.log.failure)
                return "accepted"
            return _status(await asking)
        except RpcError as error:
            raise ExecError(error.message, code=error.code) from error
        finally:
            self._writing_since = None
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)


def _status(result: Any) -> WriteStatus:
    status = result.get("status") if isinstance(result, dict) else None
    if status not in _STATUSES:
        raise ExecError(f"the exec-server answered a write with {status!r}")
    return cast(WriteStatus, status)
