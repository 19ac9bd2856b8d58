"""The process backend of this machine; closing it kills all processes."""

from __future__ import annotations

import asyncio

from codex_exec_local.exit_watch import restore_sigchld
from codex_exec_local.process import LocalProcess
from codex_exec_local.watchdog import Watchdog
from codex_hookspecs.environments import ExecParams
from codex_hookspecs.errors import ExecError

_CLOSE_SECONDS = 5.0


class LocalExecBackend:
    """Starts processes and keeps the running ones by id."""

    def __init__(self) -> None:
        restore_sigchld()
        self._live: dict[str, LocalProcess] = {}
        self._closed = False
        self._watchdog = Watchdog()

    async def start(self, params: ExecParams) -> LocalProcess:
        """Start a process.

        :raises ExecError: when it can't be started, or its id is in use.
        """
        if self._closed:
            raise ExecError("the environment is closed")
        if not params.argv:
            raise ExecError("argv must not be empty", code=-32602)
        if params.process_id in self._live:
            raise ExecError(f"process {params.process_id} already exists", code=-32600)
        if params.sandbox is not None and not params.sandbox.unrestricted:
            raise ExecError(
                f"cannot enforce the sandbox policy {params.sandbox.mode}: this environment runs commands as they are; "
                "have a sandbox launcher wrap the command"
            )
        process = LocalProcess(params, on_closed=self._forget, watchdog=self._watchdog)
        self._live[params.process_id] = process
        return process

    async def aclose(self) -> None:
        """Kill every process group and wait for the processes to exit."""
        self._closed = True
        processes = list(self._live.values())
        await asyncio.gather(*(process.terminate() for process in processes))
        await asyncio.gather(*(process.wait_exited(_CLOSE_SECONDS) for process in processes))
        for process in processes:
            process.abandon()
        await self._watchdog.aclose()

    def _forget(self, process_id: str) -> None:
        self._live.pop(process_id, None)
