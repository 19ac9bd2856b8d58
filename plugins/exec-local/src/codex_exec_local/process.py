"""A process on this machine: its pipes, its exit, its process group."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from signal import SIGINT, SIGKILL
from typing import TYPE_CHECKING

from codex_exec_local.exit_watch import ExitWatch, watch_exit
from codex_exec_local.oserrors import exec_error
from codex_exec_local.spawn import set_window, spawn
from codex_exec_local.stdin import StdinQueue
from codex_hookspecs.environments import ExecParams, ProcessEvent, ProcessFeed, ReadResult, Stream, WriteStatus

if TYPE_CHECKING:
    from codex_exec_local.watchdog import Watchdog

_READ_BYTES = 65536
_READS_AT_ONCE = 4
_TERMINAL_READS_AT_ONCE = 32  # A terminal returns at most a page per read.


class LocalProcess:
    """A process whose output is read by the event loop.

    :param on_closed: called with the id when the process has exited and all its output was read.
    :param watchdog: kills it when this program is killed.
    :raises ExecError: when it can't be started.
    """

    def __init__(self, params: ExecParams, on_closed: Callable[[str], None], watchdog: Watchdog) -> None:
        self._id = params.process_id
        self._tty = params.tty
        self._interrupt = params.interrupt
        self._on_closed = on_closed
        self._watchdog = watchdog
        self._loop = asyncio.get_running_loop()
        self._feed = ProcessFeed(on_room=self._resume)
        try:
            child = spawn(params, watchdog)
        except (OSError, ValueError) as error:
            raise exec_error(error) from error
        self._popen = child.popen
        self._outputs: dict[Stream, int] = dict(child.outputs)
        self._stdin = StdinQueue(child.stdin, self._loop) if child.stdin is not None else None
        self._resume()
        self._exit: ExitWatch | None = watch_exit(child.popen.pid, self._loop, self._on_exit)

    @property
    def process_id(self) -> str:
        """Id chosen by the caller."""
        return self._id

    @property
    def pid(self) -> int:
        """Pid, which is also the id of its process group and session."""
        return self._popen.pid

    async def read(self, after_seq: int = 0, *, max_bytes: int | None = None, wait: float = 0) -> ReadResult:
        """Return retained output newer than a sequence number."""
        return await self._feed.read(after_seq, max_bytes=max_bytes, wait=wait)

    def events(self) -> AsyncIterator[ProcessEvent]:
        """Iterate over the events; a slow reader blocks the process (backpressure)."""
        return self._feed.events()

    async def write(self, data: bytes) -> WriteStatus:
        """Queue bytes for stdin; waits while the queue is full."""
        if self._stdin is None:
            return "stdinClosed"
        await self._stdin.put(data)
        return "accepted"

    async def close_stdin(self) -> None:
        """Close stdin once all queued bytes are written; a terminal gets an empty line and its end-of-file sign."""
        if self._stdin is None:
            return
        if self._tty:
            await self._stdin.put(b"\n\x04")
        else:
            stdin, self._stdin = self._stdin, None
            await stdin.finish()

    async def interrupt(self) -> None:
        """Send SIGINT to the process group, or to the command inside if this process is a sandbox."""
        if not self._feed.log.exited and not (self._interrupt is not None and self._interrupt()):
            self._kill(SIGINT)

    async def resize(self, rows: int, columns: int) -> None:
        """Change the size of the terminal, if there is one."""
        master = self._outputs.get("pty")
        if master is not None:
            set_window(master, rows, columns)

    async def terminate(self) -> bool:
        """Kill the whole process group, even if the process itself has exited; return whether it was running."""
        running = not self._feed.log.exited
        if self._exit is not None:
            self._kill(SIGKILL)
        return running

    async def wait_exited(self, seconds: float) -> None:
        """Wait until the process has exited or the timeout is over."""
        try:
            async with asyncio.timeout(seconds):
                while not self._feed.log.exited:
                    await self._feed.changed()
        except TimeoutError:
            pass

    def abandon(self) -> None:
        """Close everything that is still open without reading further output."""
        for stream in list(self._outputs):
            self._drop(stream)
        if not self._feed.log.exited:
            self._feed.fail("the process did not end when it was killed")
        self._finish()

    def _resume(self) -> None:
        for stream, descriptor in self._outputs.items():
            self._loop.add_reader(descriptor, self._pump, stream, descriptor)

    def _pause(self) -> None:
        for descriptor in self._outputs.values():
            self._loop.remove_reader(descriptor)

    def _pump(self, stream: Stream, descriptor: int) -> None:
        for _ in range(_TERMINAL_READS_AT_ONCE if self._tty else _READS_AT_ONCE):
            try:
                data = os.read(descriptor, _READ_BYTES)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:  # Linux reports EIO on a terminal whose other side is closed.
                data = b""
            if not data:
                self._drop(stream)
                self._finish_if_done()
                return
            self._feed.output(stream, data)
            if self._feed.full:
                self._pause()
                return
            if len(data) < _READ_BYTES and not self._tty:
                return

    def _on_exit(self, status: int) -> None:
        for stream, descriptor in list(self._outputs.items()):
            if not self._feed.full:
                self._pump(stream, descriptor)
        code = os.waitstatus_to_exitcode(status)
        if code < 0:
            code = 1 if self._tty else 128 - code
        self._feed.exit(code)
        self._finish_if_done()

    def _finish_if_done(self) -> None:
        if self._feed.log.exited and not self._outputs:
            self._finish()

    def _finish(self) -> None:
        if self._exit is not None:
            self._watchdog.ended(self._popen.pid)
            self._popen.returncode = self._exit.reap()
            self._exit = None
        if self._stdin is not None:
            self._stdin.close()
        self._feed.close()
        self._on_closed(self._id)

    def _drop(self, stream: Stream) -> None:
        descriptor = self._outputs.pop(stream)
        self._loop.remove_reader(descriptor)
        os.close(descriptor)

    def _kill(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, number)
