"""Start processes on another machine."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Final

from codex_exec_remote.client import Client
from codex_exec_remote.dialect import start_params
from codex_exec_remote.process import RemoteProcess
from codex_hookspecs.environments import ExecParams
from codex_hookspecs.errors import ExecError, RpcError

MOST_CLIENTS: Final = 64
LAUNCH_SECONDS: Final = 30.0
_CLOSE_SECONDS = 5.0
_INVALID_REQUEST = -32600
_FLOW = "processFlow"


class RemoteExecBackend:
    """Starts processes, each in a session that is not held up by others.

    :param connect: returns a new session.
    :param environ: variables of this program, for servers that make no environments themselves.
    """

    def __init__(self, connect: Callable[[], Awaitable[Client]], environ: Mapping[str, str]) -> None:
        self._connect = connect
        self._environ = environ
        self._clients: list[Client] = []
        self._processes: set[RemoteProcess] = set()
        self._lock = asyncio.Lock()
        self._closed = False

    async def client(self, *, unhurried: bool = False) -> Client:
        """Return a session that works and is held up by nothing, a new one if there is none.

        :param unhurried: one for files, whose processes do no harm; otherwise each process gets one to itself where
            the server can't hold up one of several.
        :raises EnvironmentLost: when the server can't be reached.
        """
        async with self._lock:
            if self._closed:
                raise ExecError("the environment is closed")
            self._clients = [client for client in self._clients if client.dead is None]
            for client in self._clients:
                if not self._held_up(client) and (unhurried or not client.processes or client.capable(_FLOW)):
                    return client
            if len(self._clients) >= MOST_CLIENTS:
                return min(self._clients, key=lambda each: len(each.processes))
            client = await self._connect()
            self._clients.append(client)
            return client

    async def start(self, params: ExecParams) -> RemoteProcess:
        """Start a process.

        :raises ExecError: when it can't be started; the id is free again.
        """
        if not params.argv:
            raise ExecError("argv must not be empty", code=-32602)
        client = await self.client()
        self._processes = {process for process in self._processes if not process.over}
        if any(process.process_id == params.process_id for process in self._processes):
            raise ExecError(f"process {params.process_id} already exists", code=_INVALID_REQUEST)
        process = RemoteProcess(client, params)
        wanted = start_params(client.dialect, params, self._environ)
        resumes = client.resumes
        self._processes.add(process)
        client.processes[params.process_id] = process
        try:
            await client.call("process/start", wanted, seconds=LAUNCH_SECONDS, done_before=_exists)
        except BaseException as error:
            process.lost("it was not started")
            self._processes.discard(process)
            if isinstance(error, RpcError):
                raise ExecError(error.message, code=error.code) from error
            client.post("process/terminate", {"processId": params.process_id})
            raise
        process.launched = True
        if client.resumes != resumes:
            process.catch_up()
        return process

    async def aclose(self) -> None:
        """Kill every process and end the sessions."""
        self._closed = True
        processes = [process for process in self._processes if not (process.over or process.out_of_reach)]
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await asyncio.gather(*(process.terminate() for process in processes))
                await asyncio.gather(*(process.wait_over(_CLOSE_SECONDS) for process in processes))
        async with self._lock:
            clients, self._clients = self._clients, []
        await asyncio.gather(*(client.aclose() for client in clients))

    def _held_up(self, client: Client) -> bool:
        mine = client.processes.values()
        return client.held or any(process in mine and process.write_stalled for process in self._processes)


def _exists(error: RpcError) -> bool:
    return error.code == _INVALID_REQUEST and "already exists" in error.message
