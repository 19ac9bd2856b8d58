"""Handlers of ``command/exec`` and of the methods for running commands."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from codex_app_server.commands.request import read_limits, read_size, read_streaming
from codex_app_server.commands.running import RunningCommand
from codex_hookspecs.environments import Base64Error, decode_base64
from codex_hookspecs.errors import RpcError
from codex_hookspecs.jsonrpc import INVALID_PARAMS
from codex_hookspecs.protocol import CommandExecResizeResponse, CommandExecTerminateResponse, CommandExecWriteResponse

if TYPE_CHECKING:
    from codex_hookspecs.protocol import (
        CommandExecParams,
        CommandExecResizeParams,
        CommandExecResponse,
        CommandExecTerminateParams,
        CommandExecWriteParams,
    )
    from codex_hookspecs.surface import RpcContext

MAX_COMMANDS: Final = 64
"""Maximum number of running commands of one client; it must still be able to send other requests."""


class Commands:
    """The running commands of all clients; a command ends with the request that started it, or its connection."""

    def __init__(self) -> None:
        self._running: dict[int, dict[str | int, RunningCommand]] = {}
        self._unnamed = 0

    async def exec(self, params: CommandExecParams, context: RpcContext) -> CommandExecResponse:
        """Run a command to its end."""
        limits, streaming = read_limits(params), read_streaming(params)
        running = self._of(context)
        name: str | int | None = params.process_id
        if name is None:
            self._unnamed += 1
            name = self._unnamed
        elif name in running:
            raise RpcError(f"duplicate active command/exec process id: {_quoted(params.process_id)}")
        if len(running) >= MAX_COMMANDS:
            raise RpcError(f"too many commands are running: {MAX_COMMANDS} are allowed per connection")
        running[name] = command = RunningCommand(params, limits, streaming, context)
        try:
            return await command.run()
        finally:
            del running[name]

    async def write(self, params: CommandExecWriteParams, context: RpcContext) -> CommandExecWriteResponse:
        """Write to a command's stdin, or close it."""
        if params.delta_base64 is None and not params.close_stdin:
            raise RpcError("command/exec/write requires deltaBase64 or closeStdin", code=INVALID_PARAMS)
        try:
            data = decode_base64(params.delta_base64 or "")
        except Base64Error as error:
            raise RpcError(f"invalid deltaBase64: {error}", code=INVALID_PARAMS) from error
        await self._find(params.process_id, context).write(data, close=params.close_stdin)
        return CommandExecWriteResponse()

    async def resize(self, params: CommandExecResizeParams, context: RpcContext) -> CommandExecResizeResponse:
        """Change the size of a command's terminal."""
        rows, columns = read_size(params.size)
        await self._find(params.process_id, context).resize(rows, columns)
        return CommandExecResizeResponse()

    async def terminate(self, params: CommandExecTerminateParams, context: RpcContext) -> CommandExecTerminateResponse:
        """Kill a command."""
        await self._find(params.process_id, context).terminate()
        return CommandExecTerminateResponse()

    def _of(self, context: RpcContext) -> dict[str | int, RunningCommand]:
        number = context.connection_id
        if number not in self._running:
            running: dict[str | int, RunningCommand] = {}
            self._running[number] = running

            async def end_all() -> None:
                self._running.pop(number, None)
                await asyncio.gather(*(command.terminate() for command in running.values()), return_exceptions=True)

            context.on_disconnect(end_all)
        return self._running[number]

    def _find(self, process_id: str, context: RpcContext) -> RunningCommand:
        command = self._of(context).get(process_id)
        if command is None:
            raise RpcError(f"no active command/exec for process id {_quoted(process_id)}")
        return command


def _quoted(text: str | None) -> str:
    import json

    return json.dumps(text, ensure_ascii=False)
