"""A command that runs for a client, from its start to its result."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from codex_app_server.commands.output import CommandOutput
from codex_app_server.commands.starting import start_command
from codex_hookspecs.environments import OutputChunk, ProcessExited, ProcessFailed
from codex_hookspecs.errors import ExecError, RpcError
from codex_hookspecs.jsonrpc import INTERNAL_ERROR
from codex_hookspecs.protocol import CommandExecResponse

if TYPE_CHECKING:
    from codex_app_server.commands.request import Limits, Streaming
    from codex_hookspecs.environments import ExecProcess
    from codex_hookspecs.protocol import CommandExecParams
    from codex_hookspecs.surface import RpcContext

_TIMED_OUT: Final = 124
_DRAIN_SECONDS: Final = 2.0
"""Seconds to wait for further output after the exit, as long as another process holds the pipes open."""
_KILL_SECONDS: Final = 5.0


class RunningCommand:
    """A command that is starting or running."""

    def __init__(self, params: CommandExecParams, limits: Limits, streaming: Streaming, context: RpcContext) -> None:
        self._params = params
        self._limits = limits
        self._streaming = streaming
        self._context = context
        self._output = CommandOutput(context, params.process_id if streaming.output else None, limits.output_bytes)
        self._process: ExecProcess | None = None
        self._started = asyncio.Event()
        self._stdin_closed = False
        self._exit_code: int | None = None

    async def run(self) -> CommandExecResponse:
        """Run the command to its end; it is killed when this is cancelled.

        :raises RpcError: when it can't be started, or the environment lost it.
        """
        try:
            process, launch = await start_command(self._params, self._streaming, self._context.host)
        finally:
            self._started.set()
        self._process = process
        try:
            code = await self._follow(process)
        finally:
            try:
                await asyncio.shield(_kill(process))
            except TimeoutError:
                self._context.host.logger("app-server").warning("a command did not end when it was killed")
            finally:
                if launch is not None:
                    launch.close()
        return CommandExecResponse(
            exit_code=code, stdout=self._output.text("stdout"), stderr=self._output.text("stderr")
        )

    async def write(self, data: bytes, *, close: bool) -> None:
        """Write to stdin, and close it.

        :raises RpcError: when the client may not write, or stdin was closed.
        """
        if not self._streaming.stdin:
            raise RpcError("stdin streaming is not enabled for this command/exec")
        if data and self._stdin_closed:
            raise RpcError("stdin is already closed")
        process = await self._running()
        if data and await process.write(data) == "stdinClosed":
            raise RpcError("stdin is already closed")
        if close and not self._stdin_closed:
            self._stdin_closed = True
            try:
                await process.close_stdin()
            except ExecError as error:
                raise RpcError(str(error)) from error

    async def resize(self, rows: int, columns: int) -> None:
        """Change the size of the terminal.

        :raises RpcError: when there is none.
        """
        if not self._streaming.tty:
            raise RpcError("failed to resize PTY: process is not attached to a PTY")
        await (await self._running()).resize(rows, columns)

    async def terminate(self) -> None:
        """Kill the command with everything that it started."""
        await (await self._running()).terminate()

    async def _running(self) -> ExecProcess:
        await self._started.wait()
        if self._process is None:
            raise RpcError("command/exec did not start")
        return self._process

    async def _follow(self, process: ExecProcess) -> int:
        """Process the output until the end or the time limit; return the exit code."""
        reading = asyncio.create_task(self._read(process))
        try:
            async with asyncio.timeout(self._limits.seconds):
                await asyncio.shield(reading)
        except TimeoutError:
            if not reading.done() and self._exit_code is None:
                self._exit_code = _TIMED_OUT
                await process.terminate()
                await asyncio.wait({reading}, timeout=_DRAIN_SECONDS)
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
        if self._exit_code is None:
            raise RpcError("the environment lost the command", code=INTERNAL_ERROR)
        return self._exit_code

    async def _read(self, process: ExecProcess) -> None:
        events, deadline = aiter(process.events()), None
        while True:
            async with asyncio.timeout_at(deadline):
                event = await anext(events, None)
            if isinstance(event, OutputChunk):
                await self._output.add("stderr" if event.stream == "stderr" else "stdout", event.data)
            elif isinstance(event, ProcessExited):
                deadline = asyncio.get_running_loop().time() + _DRAIN_SECONDS
                if self._exit_code is None:
                    self._exit_code = event.exit_code
            elif isinstance(event, ProcessFailed):
                raise RpcError(event.message, code=INTERNAL_ERROR)
            else:
                return


async def _kill(process: ExecProcess) -> None:
    async with asyncio.timeout(_KILL_SECONDS):
        await process.terminate()
