"""Start processes in a remote environment."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Final

from codex_exec_remote.client import Client
from codex_exec_remote.process import RemoteProcess
from codex_exec_remote.protocol_versions import encode_start
from codex_hookspecs.environments import ExecParams
from codex_hookspecs.errors import ExecError, ExecRejected, RpcError

MAX_CLIENTS: Final = 64
LAUNCH_SECONDS: Final = 30.0
_CLOSE_SECONDS = 5.0
_INVALID_REQUEST = -32600
_FLOW = "processFlow"


class RemoteExecBackend:
    """Starts processes, each in a session that no other process can block.

    :param connect: opens a new session.
    :param environ: variables of this program, to which an environment policy applies where the server has none.
    """

    def __init__(self, connect: Callable[[], Awaitable[Client]], environ: Mapping[str, str]) -> None:
        self._connect = connect
        self._environ = environ
        self._clients: list[Client] = []
        self._processes: set[RemoteProcess] = set()
        self._lock = asyncio.Lock()
        self._closed = False

    async def client(self, *, shared: bool = False) -> Client:
        """Return a session that is not blocked, opening a new one if there is none.

        :param shared: whether the session may have processes, as for file methods. Otherwise, where the server can't
            pause a single process, a session without processes is returned.
        :raises EnvironmentLost: when the server can't be reached.
        """
        async with self._lock:
            if self._closed:
                raise ExecError("the environment is closed")
            self._clients = [client for client in self._clients if client.end_reason is None]
            for client in self._clients:
                if not self._is_blocked(client) and (shared or not client.processes or client.has_capability(_FLOW)):
                    return client
            if len(self._clients) >= MAX_CLIENTS:
                return min(self._clients, key=lambda each: len(each.processes))
            client = await self._connect()
            self._clients.append(client)
            return client

    async def start(self, params: ExecParams) -> RemoteProcess:
        """Start a process.

        :raises ExecError: when it can't be started; the id is free again.
        """
        if not params.argv:
            raise ExecRejected("argv must not be empty", code=-32602)
        client = await self.client()
        self._processes = {process for process in self._processes if not process.ended}
        if any(process.process_id == params.process_id for process in self._processes):
            raise ExecRejected(f"process {params.process_id} already exists", code=_INVALID_REQUEST)
        process = RemoteProcess(client, params)
        wanted = encode_start(client.protocol_version, params, self._environ)
        resumes = client.resumes
        self._processes.add(process)
        client.processes[params.process_id] = process
        try:
            await client.call("process/start", wanted, seconds=LAUNCH_SECONDS, already_done=_already_exists)
        except BaseException as error:
            process.on_lost("it was not started")
            self._processes.discard(process)
            if isinstance(error, RpcError):
                raise ExecRejected(error.message, code=error.code) from error
            client.post("process/terminate", {"processId": params.process_id})
            raise
        process.launched = True
        if client.resumes != resumes:
            process.request_read()
        return process

    async def aclose(self) -> None:
        """Kill all processes and close the sessions."""
        self._closed = True
        processes = [process for process in self._processes if not (process.ended or process.unreachable)]
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await asyncio.gather(*(process.terminate() for process in processes))
                await asyncio.gather(*(process.wait_ended(_CLOSE_SECONDS) for process in processes))
        async with self._lock:
            clients, self._clients = self._clients, []
        await asyncio.gather(*(client.aclose() for client in clients))

    def _is_blocked(self, client: Client) -> bool:
        mine = client.processes.values()
        return client.paused or any(process in mine and process.write_stalled for process in self._processes)


def _already_exists(error: RpcError) -> bool:
    return error.code == _INVALID_REQUEST and "already exists" in error.message
