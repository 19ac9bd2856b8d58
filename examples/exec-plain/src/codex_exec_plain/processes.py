"""Processes of this machine: pipes or a terminal, pumped into a feed that readers follow."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import struct
import termios
from collections.abc import AsyncIterator
from io import FileIO

from codex_hookspecs.environments import (
    ExecError,
    ExecParams,
    ProcessEvent,
    ProcessFeed,
    ReadResult,
    Stream,
    WriteStatus,
)

PIECE = 65536


class Backend:
    """Starts processes and knows the live ones by the ids that their starters chose."""

    def __init__(self) -> None:
        self._live: dict[str, Process] = {}

    async def start(self, params: ExecParams) -> Process:
        if not params.argv:
            raise ExecError("argv must not be empty", code=-32602)
        if params.process_id in self._live:
            raise ExecError(f"process {params.process_id} already exists", code=-32600)
        if params.sandbox is not None and not params.sandbox.unrestricted:
            raise ExecError("this environment has no sandbox of its own; have a launcher wrap the command")
        process = self._live[params.process_id] = Process(params)
        try:
            await process.begin()
        except OSError as error:
            del self._live[params.process_id]
            raise ExecError(f"{os.strerror(error.errno or 0)} (os error {error.errno})") from error
        process.task.add_done_callback(lambda _: self._live.pop(params.process_id))
        return process

    async def aclose(self) -> None:
        processes = list(self._live.values())
        for process in processes:
            await process.terminate()
        await asyncio.gather(*(process.task for process in processes))


class Process:
    """One process and what it has put out."""

    task: asyncio.Task[None]

    def __init__(self, params: ExecParams) -> None:
        self.process_id = params.process_id
        self._params = params
        self._room = asyncio.Event()
        self._feed = ProcessFeed(on_room=self._room.set)
        self._input: asyncio.StreamWriter | None = None
        self._terminal: int | None = None

    async def begin(self) -> None:
        """Start it, and the task that follows it to its end."""
        if self._params.tty:
            outputs = await self._begin_on_terminal()
        else:
            pipe = asyncio.subprocess.PIPE
            nothing = asyncio.subprocess.DEVNULL if self._params.stdin is None else self._params.stdin
            self._process = await self._spawn(
                stdin=pipe if self._params.pipe_stdin else nothing, stdout=pipe, stderr=pipe, start_new_session=True,
                preexec_fn=self._params.prepare,
            )  # fmt: skip
            self._input = self._process.stdin
            outputs = {"stdout": self._process.stdout, "stderr": self._process.stderr}
        self.task = asyncio.create_task(self._follow(outputs), name=f"process {self.process_id}")

    async def read(self, after_seq: int = 0, *, max_bytes: int | None = None, wait: float = 0) -> ReadResult:
        return await self._feed.read(after_seq, max_bytes=max_bytes, wait=wait)

    def events(self) -> AsyncIterator[ProcessEvent]:
        return self._feed.events()

    async def write(self, data: bytes) -> WriteStatus:
        if self._input is None:
            return "stdinClosed"
        with contextlib.suppress(ConnectionError):  # It has ended: nobody reads this.
            self._input.write(data)
            await self._input.drain()
        return "accepted"

    async def close_stdin(self) -> None:
        if self._terminal is not None:
            await self.write(b"\n\x04")
        elif self._input is not None:
            self._input.close()
            self._input = None

    async def interrupt(self) -> None:
        if self._params.interrupt is None or not self._params.interrupt():
            self._signal(signal.SIGINT)

    async def resize(self, rows: int, columns: int) -> None:
        if self._terminal is not None:
            fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    async def terminate(self) -> bool:
        running = not self._feed.log.exited
        if not self.task.done():
            self._signal(signal.SIGKILL)
        return running

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    async def _spawn(self, **options: object) -> asyncio.subprocess.Process:
        program, *arguments = self._params.argv
        return await asyncio.create_subprocess_exec(
            self._params.arg0 or program, *arguments, executable=program, cwd=self._params.cwd, env=self._params.env,
            pass_fds=self._params.descriptors, limit=PIECE, **options,
        )  # fmt: skip

    async def _begin_on_terminal(self) -> dict[Stream, asyncio.StreamReader]:
        ours, theirs = os.openpty()
        self._terminal = ours
        try:
            await self.resize(self._params.rows, self._params.columns)
            self._process = await self._spawn(
                stdin=theirs, stdout=theirs, stderr=theirs, preexec_fn=lambda: self._in_child(theirs)
            )
        except BaseException:
            os.close(ours)
            raise
        finally:
            os.close(theirs)
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=PIECE)
        await loop.connect_read_pipe(lambda: TerminalProtocol(reader), FileIO(ours, "rb"))
        pipe, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, FileIO(os.dup(ours), "wb"))
        self._input = asyncio.StreamWriter(pipe, protocol, None, loop)
        return {"pty": reader}

    def _in_child(self, terminal: int) -> None:
        os.login_tty(terminal)
        if self._params.prepare is not None:
            self._params.prepare()

    async def _follow(self, outputs: dict[Stream, asyncio.StreamReader]) -> None:
        pumps = [asyncio.create_task(self._pump(stream, reader)) for stream, reader in outputs.items()]
        code = await self._process.wait()
        self._feed.exit(code if code >= 0 else 1 if self._params.tty else 128 - code)
        await asyncio.gather(*pumps)
        self._terminal = None
        if self._input is not None and not self._input.is_closing():
            self._input.transport.abort()
        self._feed.close()

    async def _pump(self, stream: Stream, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(PIECE):
            while self._feed.full:
                self._room.clear()
                await self._room.wait()
            self._feed.output(stream, data)


class TerminalProtocol(asyncio.StreamReaderProtocol):
    """Treats EIO as end of file: Linux raises it when the last process has closed the terminal."""

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(None)
