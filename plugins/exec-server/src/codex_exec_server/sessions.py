"""Sessions of the exec-server protocol: keep a client's processes across lost connections."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from codex_exec_server.processes import Receiver, ServedProcess
from codex_hookspecs.errors import RpcError
from codex_hookspecs.protocol import uuid4

if TYPE_CHECKING:
    from codex_hookspecs.environments import ExecBackend, ExecParams, OutputChunk
    from codex_hookspecs.sandbox import Launch

RETENTION_SECONDS: Final = 80.0
"""Seconds for which an exited process can be queried, and for which a session survives without a connection."""
KEPT_SENT_BYTES: Final = 8 * 1024 * 1024
"""Bytes of sent output that a session keeps for resumption: it may have been in flight when the connection broke."""
HOLD_SECONDS: Final = 10.0
"""Seconds for which output is held back after the loss of a connection; after that it is only retained."""


class Session:
    """The processes of a client.

    :param retention: seconds for which exited processes and the detached session are kept.
    :param on_end: called with the session's id when it is closed.
    :param expired: called with the session when its client did not resume it in time; closes it.
    """

    def __init__(
        self,
        backend: ExecBackend,
        retention: float,
        on_end: Callable[[str], None],
        expired: Callable[[Session], None],
    ) -> None:
        self.id = uuid4()
        self.line: Receiver | None = None
        self.processes: dict[str, ServedProcess] = {}
        self.retention = retention
        self._backend = backend
        self._on_end = on_end
        self._expired = expired
        self._loop = asyncio.get_running_loop()
        self._hold_until = 0.0
        self._changed: asyncio.Future[None] | None = None
        self._expiry: asyncio.TimerHandle | None = None
        self._sent: deque[tuple[str, OutputChunk]] = deque()
        self._sent_bytes = 0

    async def start(self, process_id: str, params: ExecParams, launch: Launch) -> ServedProcess:
        """Start a process.

        :param launch: its sandbox, closed together with it.
        :raises RpcError: when the id is taken.
        :raises ExecError: when it can't be started; the id is then free again.
        """
        if process_id in self.processes:
            raise RpcError(f"process {process_id} already exists")
        served = self.processes[process_id] = ServedProcess(self, process_id, launch)
        try:
            served.begin(await self._backend.start(params))
        except BaseException:
            served.fail_start()
            del self.processes[process_id]
            raise
        launch.started()
        return served

    async def attach(self, line: Receiver) -> None:
        """Send events to a connection from now on."""
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None
        for served in list(self.processes.values()):
            await served.mute()
        self.line = line
        self._wake()

    def detach(self) -> None:
        """Note the loss of the connection and start the retention time."""
        self.line = None
        self._hold_until = self._loop.time() + HOLD_SECONDS
        self._expiry = self._loop.call_later(self.retention, self._expired, self)
        for served in self.processes.values():
            served.reset_flow()
        self._wake()

    async def wait_for_client(self) -> bool:
        """Wait for the client to reconnect, at most for the hold time.

        :return: ``False`` when the hold time is over.
        """
        if self.line is not None and not self.line.gone:
            return True
        left = HOLD_SECONDS if self.line is not None else self._hold_until - self._loop.time()
        if left <= 0:
            return False
        await self.wait_for_change(left)
        return True

    async def wait_for_change(self, seconds: float) -> None:
        """Wait until a connection is attached or detached, or until the timeout."""
        if self._changed is None:
            self._changed = self._loop.create_future()
        await asyncio.wait((self._changed,), timeout=seconds)

    def keep(self, process_id: str, chunk: OutputChunk) -> None:
        """Keep a sent chunk for a client that resumes without having received it."""
        self._sent.append((process_id, chunk))
        self._sent_bytes += len(chunk.data)
        while self._sent_bytes > KEPT_SENT_BYTES:
            self._sent_bytes -= len(self._sent.popleft()[1].data)

    def sent_chunks(self, process_id: str) -> Iterator[OutputChunk]:
        """Iterate the kept chunks of a process."""
        return (chunk for owner, chunk in self._sent if owner == process_id)

    def forget_later(self, process_id: str) -> None:
        """Forget an exited process after the retention time."""
        self._loop.call_later(self.retention, self.processes.pop, process_id, None)

    async def aclose(self) -> None:
        """Kill all processes and discard their state."""
        if self._expiry is not None:
            self._expiry.cancel()
        self._on_end(self.id)
        served = list(self.processes.values())
        await asyncio.gather(*(each.aclose() for each in served))
        self.processes.clear()

    def _wake(self) -> None:
        waiter, self._changed = self._changed, None
        if waiter is not None:
            waiter.set_result(None)


class Sessions:
    """All sessions of a server.

    :param retention: seconds for which exited processes and detached sessions are kept.
    :param expired: closes a session whose client did not resume it in time.
    """

    def __init__(self, backend: ExecBackend, retention: float, expired: Callable[[Session], None]) -> None:
        self._backend = backend
        self._retention = retention
        self._expired = expired
        self._sessions: dict[str, Session] = {}

    def open(self) -> Session:
        """Create a session."""
        session = Session(self._backend, self._retention, self._forget, self._expired)
        self._sessions[session.id] = session
        return session

    def find(self, session_id: str) -> Session:
        """Return a detached session, to be resumed.

        :raises RpcError: when the id is unknown, or the session has a connection.
        """
        session = self._sessions.get(session_id)
        if session is None:
            raise RpcError(f"unknown session id {session_id}")
        if session.line is not None and not session.line.gone:
            raise RpcError(f"session {session_id} is already attached to another connection", code=-32010)
        return session

    async def aclose(self) -> None:
        """Close all sessions."""
        await asyncio.gather(*(session.aclose() for session in list(self._sessions.values())))

    def _forget(self, session_id: str) -> None:
        self._sessions.pop(session_id, None)
