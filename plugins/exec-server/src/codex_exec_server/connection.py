"""Handle the requests of one connection: decode, check the state, run in the right order, answer."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from types import CoroutineType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from codex_exec_server.messages import UNPARSABLE_ID, Call, Fault, Foreign, answer, parse, refusal
from codex_hookspecs.errors import ExecError, FileSystemError, RpcError, SandboxUnavailable

if TYPE_CHECKING:
    from codex_exec_server.machine import ServedMachine
    from codex_exec_server.sessions import Session

INTERNAL: Final = -32603
MAX_WAITING_BYTES: Final = 64 * 1024 * 1024
"""Bytes of requests that may wait; beyond it the client is not read from."""
CALL_BYTES: Final = 1024
"""What a request takes beside its own bytes."""

Run = Callable[["Connection", Any], Any]


class Outlet(Protocol):
    """Where answers go."""

    label: str
    paused: bool
    gone: bool

    def send(self, payload: bytes) -> None:
        """Send something now."""
        ...

    def queue(self, payload: bytes) -> None:
        """Send something soon."""
        ...

    async def room(self) -> None:
        """Return when the client has caught up or is gone."""
        ...

    def hold_incoming(self, *, held: bool) -> None:
        """Read nothing more from the client, or go on."""
        ...

    def drop(self) -> None:
        """End the connection at once."""
        ...


class Method(NamedTuple):
    """A method of the protocol.

    :param needs: word for the methods that need a session, empty for those that do not.
    :param lane: requests with equal lanes are handled one after the other; ``None`` is a lane of its own.
    :param urgent: is never held up by others.
    """

    read: Callable[[Any], Any]
    run: Run
    needs: str = ""
    lane: Callable[[Any], Hashable] | None = None
    urgent: bool = False


class Connection:
    """One client."""

    def __init__(self, server: ServedMachine, outlet: Outlet, methods: dict[str, Method]) -> None:
        self.server = server
        self.outlet = outlet
        self.session: Session | None = None
        self.ready = False
        self.resources: dict[str, Any] = {}
        self._methods = methods
        self._slots = server.concurrent
        self._running = 0
        self._lanes: dict[Hashable, deque[tuple[Call, Method, Any, int]]] = {}
        self._waiting: deque[tuple[Call, Method, Any, int]] = deque()
        self._bytes = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def receive(self, data: bytes) -> None:
        """Take a message."""
        message = parse(data)
        if type(message) is Call:
            self._called(message, len(data) + CALL_BYTES)
        elif type(message) is Fault:
            text = f"failed to parse {self.outlet.label}: {message.reason}"
            self.outlet.send(refusal(UNPARSABLE_ID, RpcError(text)))
        elif type(message) is Foreign or message.method != "initialized" or self.session is None:  # type: ignore[union-attr]
            self.outlet.drop()
        else:
            self.ready = True

    async def aclose(self) -> None:
        """The connection is lost: the session goes on without it, all else ends."""
        self._waiting.clear()
        self._lanes.clear()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if self.session is not None and self.session.line is self.outlet:
            self.session.detach()
        self.session = None
        await asyncio.gather(*tasks, return_exceptions=True)
        for resource in self.resources.values():
            await resource.aclose()

    def _called(self, call: Call, size: int) -> None:
        method = self._methods.get(call.method)
        try:
            if method is None:
                text = f"exec-server stub does not implement `{call.method}` yet"
                raise RpcError(text, code=-32601)
            params = method.read(call.params)
            self._check(method)
        except Exception as error:
            self.outlet.send(refusal(call.id, as_rpc_error(error)))
            return
        job = (call, method, params, size)
        if self._slots == 1:
            self._in_turn(job)
            return
        lane = method.lane(params) if method.lane is not None else None
        if lane is not None and lane in self._lanes:
            self._lanes[lane].append(job)
            self._count(size)
        elif self._running >= self._slots and not method.urgent:
            self._waiting.append(job)
            self._count(size)
        else:
            self._begin(job, lane)

    def _check(self, method: Method) -> None:
        if method.needs and self.session is None:
            raise RpcError(f"client must call initialize before using {method.needs} methods")
        if method.needs and not self.ready:
            raise RpcError(f"client must send initialized before using {method.needs} methods")

    def _in_turn(self, job: tuple[Call, Method, Any, int]) -> None:
        if self._running:
            self._waiting.append(job)
            self._count(job[3])
        else:
            self._begin(job, None)

    def _begin(self, job: tuple[Call, Method, Any, int], lane: Hashable) -> None:
        call, method, params, _ = job
        try:
            result = method.run(self, params)
            if type(result) is not CoroutineType:
                self.outlet.send(answer(call.id, result))
                return
        except Exception as error:
            self.outlet.send(refusal(call.id, as_rpc_error(error)))
            return
        self._running += 1
        if call.method == "initialize":
            self.outlet.hold_incoming(held=True)  # All that follows is about the session that it opens.
        if lane is not None:
            self._lanes[lane] = deque()
        task = asyncio.get_running_loop().create_task(self._finish(call, result, lane), name=call.method)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _finish(self, call: Call, rest: Awaitable[Any], lane: Hashable) -> None:
        try:
            payload = answer(call.id, await rest)
        except Exception as error:
            payload = refusal(call.id, as_rpc_error(error))
        self.outlet.send(payload)
        if self.outlet.paused:
            await self.outlet.room()
        self._running -= 1
        if call.method == "initialize":
            self.outlet.hold_incoming(held=False)
        if lane is not None:
            self._next_in(lane)
        while self._waiting and self._running < self._slots:
            job = self._waiting.popleft()
            self._count(-job[3])
            _, method, params, _ = job
            found = method.lane(params) if method.lane is not None and self._slots > 1 else None
            if found is not None and found in self._lanes:
                self._lanes[found].append(job)
                self._count(job[3])
            else:
                self._begin(job, found)

    def _next_in(self, lane: Hashable) -> None:
        waiting = self._lanes.pop(lane, None)
        while waiting:
            job = waiting.popleft()
            self._count(-job[3])
            self._begin(job, lane)
            if lane in self._lanes:
                self._lanes[lane] = waiting
                return

    def _count(self, size: int) -> None:
        before = self._bytes
        self._bytes += size
        if before <= MAX_WAITING_BYTES < self._bytes:
            self.outlet.hold_incoming(held=True)
        elif self._bytes <= MAX_WAITING_BYTES < before:
            self.outlet.hold_incoming(held=False)


def as_rpc_error(error: Exception) -> RpcError:
    """Return the error object that a failure is answered with."""
    if isinstance(error, RpcError):
        return error
    if isinstance(error, ExecError):
        return RpcError(str(error), code=error.code)
    if isinstance(error, FileSystemError):
        return RpcError(str(error), code=INTERNAL)
    if isinstance(error, SandboxUnavailable):
        return RpcError(str(error), code=INTERNAL)
    if isinstance(error, OSError) and error.strerror:
        return RpcError(f"{error.strerror} (os error {error.errno})", code=INTERNAL)
    return RpcError(f"{type(error).__name__}: {error}", code=INTERNAL)
