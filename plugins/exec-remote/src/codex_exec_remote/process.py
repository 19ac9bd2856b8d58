"""A process in a remote environment: delivers its events in order and exactly once, across lost connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final, cast

from codex_exec_remote.client import Client
from codex_exec_remote.event_order import EventOrder
from codex_exec_remote.protocol_versions import ProtocolError, SequencedEvent, decode_event, decode_read, encode_write
from codex_hookspecs.environments import (
    ExecParams,
    OutputChunk,
    ProcessEvent,
    ProcessExited,
    ProcessFeed,
    ReadResult,
    WriteStatus,
)
from codex_hookspecs.errors import EnvironmentLost, ExecError, ExecRejected, RpcError
from codex_hookspecs.protocol import JsonObject, uuid4

GAP_SECONDS: Final = 1.0
"""How long an event may be missing in the sequence before it is read from the server."""
TERMINATE_SECONDS: Final = 5.0
SLOW_WRITE_SECONDS: Final = 1.0
WRITE_BYTES: Final = 64 * 1024
OUTPUT_LOST: Final = "output was lost while there was no connection to the exec-server"
TOO_FAST: Final = "output was lost: it came faster than it could be read from this exec-server"
_STATUSES = ("accepted", "unknownProcess", "stdinClosed", "starting")
_UNKNOWN_METHOD = -32601


class RemoteProcess:
    """A process of a session.

    :ivar launched: whether the server has confirmed the start.
    :ivar unreachable: whether it could not be terminated; the server does so when the session expires.
    """

    def __init__(self, client: Client, params: ExecParams) -> None:
        self.launched = False
        self.unreachable = False
        self._client = client
        self._id = params.process_id
        self._tty = params.tty
        self._has_stdin = params.tty or params.pipe_stdin
        self._loop = asyncio.get_running_loop()
        self._writable = asyncio.Event()
        self._feed = ProcessFeed(on_room=self._resume_output)
        self._order = EventOrder()
        self._paused = False
        self._terminating = False
        self._needs_read = False
        self._read_task: asyncio.Task[None] | None = None
        self._gap_timer: asyncio.TimerHandle | None = None
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._write_lock = asyncio.Lock()
        self._writing_since: float | None = None

    @property
    def process_id(self) -> str:
        """Id chosen at the start."""
        return self._id

    @property
    def ended(self) -> bool:
        """Whether no more events will arrive."""
        return self._feed.log.closed

    @property
    def write_stalled(self) -> bool:
        """Whether a write is waiting for the program to read its input."""
        since = self._writing_since
        return since is not None and self._loop.time() - since > SLOW_WRITE_SECONDS

    async def read(self, after_seq: int = 0, *, max_bytes: int | None = None, wait: float = 0) -> ReadResult:
        """Return retained output newer than a sequence number."""
        return await self._feed.read(after_seq, max_bytes=max_bytes, wait=wait)

    def events(self) -> AsyncIterator[ProcessEvent]:
        """Iterate the events; a slow reader pauses the process."""
        return self._feed.events()

    async def write(self, data: bytes) -> WriteStatus:
        """Write to stdin exactly once, even when the connection is lost meanwhile.

        :raises ExecError: when the process or the connection is lost.
        """
        if not self._has_stdin:
            return "stdinClosed"
        view = memoryview(data)
        async with self._write_lock:
            for start in range(0, max(len(view), 1), WRITE_BYTES):
                status = await self._write(bytes(view[start : start + WRITE_BYTES]))
                if status != "accepted":
                    return status
        return "accepted"

    async def close_stdin(self) -> None:
        """Send the end-of-file sign to a terminal; the protocol can't close a pipe."""
        if not self._tty:
            raise ExecError("stdin of a remote process can't be closed")
        await self.write(b"\n\x04")

    async def interrupt(self) -> None:
        """Interrupt the process group."""
        if self._feed.log.exited:
            return
        try:
            await self._client.call("process/signal", {"processId": self._id, "signal": "interrupt"})
        except RpcError as error:
            if error.code != _UNKNOWN_METHOD:
                raise ExecRejected(error.message, code=error.code) from error
            if not self._tty:
                raise ExecError("this exec-server can't interrupt processes", code=error.code) from error
            await self.write(b"\x03")

    async def resize(self, rows: int, columns: int) -> None:
        """Change the size of the terminal, where the server supports that."""
        if self._tty and self._client.has_capability("processResize") and not self._feed.log.exited:
            await self._client.call("process/resize", {"processId": self._id, "rows": rows, "columns": columns})

    async def terminate(self) -> bool:
        """Kill the process group; when the server does not respond, the request is sent on a new connection."""
        if self._feed.log.closed and self._feed.log.failure is None:
            return False
        if self.unreachable and not self._client.connected:
            return False  # The timeout has passed once already.
        self._terminating = True
        self._resume_output()
        params = {"processId": self._id}
        try:
            try:
                result = await self._client.call("process/terminate", params, seconds=TERMINATE_SECONDS)
            except EnvironmentLost:
                if (
                    self._client.end_reason is not None
                    or not self._client.connected
                    or self._client.protocol_version == "0.118"
                ):
                    raise
                # A server that handles requests sequentially may be blocked by a write to the program.
                self._client.reconnect("no answer to process/terminate")
                result = await self._client.call("process/terminate", params, seconds=TERMINATE_SECONDS)
        except (EnvironmentLost, RpcError):
            self.unreachable = True
            return False
        return isinstance(result, dict) and result.get("running") is True

    async def wait_ended(self, seconds: float) -> None:
        """Wait until no more events will arrive, or until the timeout."""
        await asyncio.wait((self._ended,), timeout=seconds)

    def on_notification(self, method: str, params: JsonObject) -> None:
        """Handle a notification."""
        event = decode_event(method, params)
        if event is None:
            self.request_read()
            return
        self._take(self._order.add(event))
        if self._order.pending and self._gap_timer is None:
            self._gap_timer = self._loop.call_later(GAP_SECONDS, self._check_gap)

    def on_resumed(self) -> None:
        """Fetch what was missed while there was no connection."""
        if self._paused:
            self._send_flow()
        if self.launched:
            self.request_read()

    def on_lost(self, message: str) -> None:
        """Fail: nothing more will arrive."""
        self._feed.fail(message)
        self._finish()

    def request_read(self) -> None:
        """Start a ``process/read``, or repeat the running one."""
        self._needs_read = True
        if self._read_task is None or self._read_task.done():
            self._read_task = self._loop.create_task(self._read_loop(), name=f"read {self._id}")
            self._client.track_task(self._read_task)

    async def _read_loop(self) -> None:
        while self._needs_read and not self.ended:
            self._needs_read = False
            while self._feed.full and not self._terminating:
                self._writable.clear()
                await self._writable.wait()
            try:
                await self._read_once()
            except RpcError as error:
                self.on_lost(error.message)
            except ProtocolError as error:
                self._client.reconnect(f"the server sent an invalid result of process/read: {error}")
            except EnvironmentLost as error:
                if self._client.end_reason is None:
                    self._client.reconnect(str(error))

    async def _read_once(self) -> None:
        after = self._order.last
        result = await self._client.call("process/read", {"processId": self._id, "afterSeq": after, "waitMs": 0})
        after, known = self._order.last, self._order.pending
        exited = self._feed.log.exited or self._order.has_pending(ProcessExited)
        reading = decode_read(result, after, known, exit_known=exited)
        if reading.gap:
            self.on_lost(OUTPUT_LOST if self._client.resumes else TOO_FAST)
            return
        for event in reading.events:
            self._take(self._order.add(event))
        if reading.failure is not None:
            self.on_lost(reading.failure)

    def _check_gap(self) -> None:
        self._gap_timer = None
        if self._order.pending and not self.ended:
            self.request_read()
            self._gap_timer = self._loop.call_later(GAP_SECONDS, self._check_gap)

    def _take(self, events: list[SequencedEvent]) -> None:
        for event in events:
            if type(event) is OutputChunk:
                self._feed.output(event.stream, event.data)
            elif type(event) is ProcessExited:
                self._feed.exit(event.exit_code, sandbox_denied=event.sandbox_denied)
            else:
                self._feed.close()
                self._finish()
        if self._feed.full and not self._paused and not self._terminating:
            self._paused = True
            self._send_flow()

    def _resume_output(self) -> None:
        self._writable.set()
        if self._paused:
            self._paused = False
            self._send_flow()

    def _send_flow(self) -> None:
        if self._client.has_capability("processFlow"):
            self._client.post("process/setFlow", {"processId": self._id, "flowing": not self._paused})
        else:
            self._client.pause_reading(self._id, paused=self._paused)

    def _finish(self) -> None:
        self._client.processes.pop(self._id, None)
        self._client.pause_reading(self._id, paused=False)
        self._writable.set()
        if self._gap_timer is not None:
            self._gap_timer.cancel()
        if not self._ended.done():
            self._ended.set_result(None)

    async def _write(self, data: bytes) -> WriteStatus:
        if self._feed.log.failure is not None:
            raise EnvironmentLost(self._feed.log.failure)
        params = encode_write(self._client.protocol_version, self._id, data, uuid4())
        asking = self._loop.create_task(self._client.call("process/write", params, seconds=None))
        self._writing_since = self._loop.time()
        try:
            # A write to a program that has ended counts as accepted.
            await asyncio.wait((asking, self._ended), return_when=asyncio.FIRST_COMPLETED)
            if not asking.done():
                if self._feed.log.failure is not None:
                    raise EnvironmentLost(self._feed.log.failure)
                return "accepted"
            return _status(await asking)
        except RpcError as error:
            raise ExecRejected(error.message, code=error.code) from error
        finally:
            self._writing_since = None
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)


def _status(result: Any) -> WriteStatus:
    status = result.get("status") if isinstance(result, dict) else None
    if status not in _STATUSES:
        raise ExecError(f"the exec-server answered a write with {status!r}")
    return cast(WriteStatus, status)
