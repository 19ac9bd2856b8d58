"""Keep the sessions of clients and their processes, across lost connections (sessions of the exec-server protocol)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from codex_exec_server.processes import Line, ServedProcess
from codex_hookspecs.errors import RpcError
from codex_hookspecs.protocol import uuid4

if TYPE_CHECKING:
    from codex_hookspecs.environments import ExecBackend, ExecParams, OutputChunk
    from codex_hookspecs.sandbox import Launch

RETENTION_SECONDS: Final = 80.0
"""How long an ended process can still be asked about, and a session lives on without a connection."""
KEPT_SENT_BYTES: Final = 8 * 1024 * 1024
"""What was sent last is kept beside what is retained: it may have been under way when the connection broke."""
HOLD_SECONDS: Final = 10.0
"""How long processes of a lost connection are held up by output that nobody takes; after that it is dropped."""


class Session:
    """What one client started.

    :param on_end: called with the id when it is over.
    :param expired: called with the session when its client did not come back in time; it closes it.
    """

    def __init__(
        self,
        backend: ExecBackend,
        retention: float,
        on_end: Callable[[str], None],
        expired: Callable[[Session], None],
    ) -> None:
        self.id = uuid4()
        self.line: Line | None = None
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

        :param launch: what was prepared for it, cleared up with it.
        :raises RpcError: when the id is taken.
        :raises ExecError: when it can't be started; the id is free again.
        """
        if process_id in self.processes:
            raise RpcError(f"process {process_id} already exists")
        served = self.processes[process_id] = ServedProcess(self, process_id, launch)
        try:
            served.begin(await self._backend.start(params))
        except BaseException:
            served.failed()
            del self.processes[process_id]
            raise
        launch.started()
        return served

    async def attach(self, line: Line) -> None:
        """Have a connection receive what happens from now on."""
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None
        for served in list(self.processes.values()):
            await served.mute()
        self.line = line
        self._wake()

    def detach(self) -> None:
        """Go on without connection, for a while."""
        self.line = None
        self._hold_until = self._loop.time() + HOLD_SECONDS
        self._expiry = self._loop.call_later(self.retention, self._expired, self)
        for served in self.processes.values():
            served.let_flow()
        self._wake()

    async def held(self) -> bool:
        """Wait while output shall be kept for a client that may come back.

        :return: ``False`` when it is not coming back in time.
        """
        if self.line is not None and not self.line.gone:
            return True
        left = HOLD_SECONDS if self.line is not None else self._hold_until - self._loop.time()
        if left <= 0:
            return False
        await self.changed(left)
        return True

    async def changed(self, seconds: float) -> None:
        """Return when a connection comes or goes, at the latest after some seconds."""
        if self._changed is None:
            self._changed = self._loop.create_future()
        await asyncio.wait((self._changed,), timeout=seconds)

    def keep(self, process_id: str, chunk: OutputChunk) -> None:
        """Keep what was sent for a client that comes back without it."""
        self._sent.append((process_id, chunk))
        self._sent_bytes += len(chunk.data)
        while self._sent_bytes > KEPT_SENT_BYTES:
            self._sent_bytes -= len(self._sent.popleft()[1].data)

    def sent_for(self, process_id: str) -> Iterator[OutputChunk]:
        """Iterate what is kept of one process."""
        return (chunk for owner, chunk in self._sent if owner == process_id)

    def retire(self, process_id: str) -> None:
        """Forget a process that has ended, after the time of retention."""
        self._loop.call_later(self.retention, self.processes.pop, process_id, None)

    async def aclose(self) -> None:
        """Kill what is running and forget everything."""
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

    :param retention: seconds that ended processes and lost sessions are kept.
    :param expired: closes a session whose client did not come back in time.
    """

    def __init__(self, backend: ExecBackend, retention: float, expired: Callable[[Session], None]) -> None:
        self._backend = backend
        self._retention = retention
        self._expired = expired
        self._sessions: dict[str, Session] = {}

    def open(self) -> Session:
        """Return a new session."""
        session = Session(self._backend, self._retention, self._forget, self._expired)
        self._sessions[session.id] = session
        return session

    def find(self, session_id: str) -> Session:
        """Return a session that has no connection.

        :raises RpcError: when there is none of that id, or it has one.
        """
        session = self._sessions.get(session_id)
        if session is None:
            raise RpcError(f"unknown session id {session_id}")
        if session.line is not None and not session.line.gone:
            raise RpcError(f"session {session_id} is already attached to another connection", code=-32010)
        return session

    async def aclose(self) -> None:
        """End all sessions."""
        await asyncio.gather(*(session.aclose() for session in list(self._sessions.values())))

    def _forget(self, session_id: str) -> None:
        self._sessions.pop(session_id, None)
