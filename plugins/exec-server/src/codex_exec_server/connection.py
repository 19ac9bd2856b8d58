"""Dispatch the requests of a connection: decode them, check its state, run them in order, send the responses."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from types import CoroutineType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from codex_exec_server.messages import (
    UNPARSABLE_ID,
    InvalidMessage,
    Request,
    UnexpectedResponse,
    encode_error,
    encode_response,
    parse,
)
from codex_hookspecs.errors import ExecError, FileSystemError, RpcError, SandboxUnavailable

if TYPE_CHECKING:
    from codex_exec_server.served_environment import ServedEnvironment
    from codex_exec_server.sessions import Session

INTERNAL: Final = -32603
MAX_WAITING_BYTES: Final = 64 * 1024 * 1024
"""Bytes of waiting requests beyond which reading from the client is paused."""
CALL_BYTES: Final = 1024
"""Memory overhead of a waiting request, counted in addition to its own bytes."""

Run = Callable[["Connection", Any], Any]


class Peer(Protocol):
    """The client's end of a connection, whatever the transport.

    :ivar label: name of the transport, for error messages.
    :ivar paused: whether the client does not read fast enough.
    :ivar gone: whether the connection is lost.
    """

    label: str
    paused: bool
    gone: bool

    def send(self, payload: bytes) -> None:
        """Send a message at once."""
        ...

    def queue(self, payload: bytes) -> None:
        """Send a message soon, together with others."""
        ...

    async def room(self) -> None:
        """Wait until the client has caught up or the connection is lost."""
        ...

    def pause_incoming(self, *, paused: bool) -> None:
        """Pause or resume reading from the client."""
        ...

    def drop(self) -> None:
        """Close the connection at once."""
        ...


class Method(NamedTuple):
    """A method of the protocol.

    :param read: decodes the parameters.
    :param run: handles a request; returns its result or a coroutine for it.
    :param needs: name of the group of methods, for the error without a session; empty when no session is needed.
    :param order_key: returns a key from the parameters; requests with equal keys are handled one after the other.
        Without it, requests run concurrently.
    :param urgent: whether it runs even when the limit of concurrent requests is reached.
    """

    read: Callable[[Any], Any]
    run: Run
    needs: str = ""
    order_key: Callable[[Any], Hashable] | None = None
    urgent: bool = False


class Connection:
    """The state of a client's connection and the queue of its requests."""

    def __init__(self, server: ServedEnvironment, peer: Peer, methods: dict[str, Method]) -> None:
        self.server = server
        self.peer = peer
        self.session: Session | None = None
        self.ready = False
        self.resources: dict[str, Any] = {}
        self._methods = methods
        self._slots = server.concurrent
        self._running = 0
        self._queues: dict[Hashable, deque[tuple[Request, Method, Any, int]]] = {}
        self._waiting: deque[tuple[Request, Method, Any, int]] = deque()
        self._bytes = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def receive(self, data: bytes) -> None:
        """Handle an incoming message."""
        message = parse(data)
        if type(message) is Request:
            self._handle_request(message, len(data) + CALL_BYTES)
        elif type(message) is InvalidMessage:
            text = f"failed to parse {self.peer.label}: {message.reason}"
            self.peer.send(encode_error(UNPARSABLE_ID, RpcError(text)))
        elif type(message) is UnexpectedResponse or message.method != "initialized" or self.session is None:  # type: ignore[union-attr]
            self.peer.drop()
        else:
            self.ready = True

    async def aclose(self) -> None:
        """Handle the loss of the connection: detach the session, cancel requests, close resources."""
        self._waiting.clear()
        self._queues.clear()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if self.session is not None and self.session.line is self.peer:
            self.session.detach()
        self.session = None
        await asyncio.gather(*tasks, return_exceptions=True)
        for resource in self.resources.values():
            await resource.aclose()

    def _handle_request(self, call: Request, size: int) -> None:
        method = self._methods.get(call.method)
        try:
            if method is None:
                text = f"exec-server stub does not implement `{call.method}` yet"
                raise RpcError(text, code=-32601)
            params = method.read(call.params)
            self._check(method)
        except Exception as error:
            self.peer.send(encode_error(call.id, as_rpc_error(error)))
            return
        job = (call, method, params, size)
        if self._slots == 1:
            self._run_in_order(job)
            return
        order_key = method.order_key(params) if method.order_key is not None else None
        if order_key is not None and order_key in self._queues:
            self._queues[order_key].append(job)
            self._count_waiting(size)
        elif self._running >= self._slots and not method.urgent:
            self._waiting.append(job)
            self._count_waiting(size)
        else:
            self._start_job(job, order_key)

    def _check(self, method: Method) -> None:
        if method.needs and self.session is None:
            raise RpcError(f"client must call initialize before using {method.needs} methods")
        if method.needs and not self.ready:
            raise RpcError(f"client must send initialized before using {method.needs} methods")

    def _run_in_order(self, job: tuple[Request, Method, Any, int]) -> None:
        if self._running:
            self._waiting.append(job)
            self._count_waiting(job[3])
        else:
            self._start_job(job, None)

    def _start_job(self, job: tuple[Request, Method, Any, int], order_key: Hashable) -> None:
        call, method, params, _ = job
        try:
            result = method.run(self, params)
            if type(result) is not CoroutineType:
                self.peer.send(encode_response(call.id, result))
                return
        except Exception as error:
            self.peer.send(encode_error(call.id, as_rpc_error(error)))
            return
        self._running += 1
        if call.method == "initialize":
            self.peer.pause_incoming(paused=True)  # Later messages need the session that this one opens.
        if order_key is not None:
            self._queues[order_key] = deque()
        task = asyncio.get_running_loop().create_task(self._finish(call, result, order_key), name=call.method)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _finish(self, call: Request, rest: Awaitable[Any], order_key: Hashable) -> None:
        try:
            payload = encode_response(call.id, await rest)
        except Exception as error:
            payload = encode_error(call.id, as_rpc_error(error))
        self.peer.send(payload)
        if self.peer.paused:
            await self.peer.room()
        self._running -= 1
        if call.method == "initialize":
            self.peer.pause_incoming(paused=False)
        if order_key is not None:
            self._start_next(order_key)
        while self._waiting and self._running < self._slots:
            job = self._waiting.popleft()
            self._count_waiting(-job[3])
            _, method, params, _ = job
            key = method.order_key(params) if method.order_key is not None and self._slots > 1 else None
            if key is not None and key in self._queues:
                self._queues[key].append(job)
                self._count_waiting(job[3])
            else:
                self._start_job(job, key)

    def _start_next(self, order_key: Hashable) -> None:
        waiting = self._queues.pop(order_key, None)
        while waiting:
            job = waiting.popleft()
            self._count_waiting(-job[3])
            self._start_job(job, order_key)
            if order_key in self._queues:
                self._queues[order_key] = waiting
                return

    def _count_waiting(self, size: int) -> None:
        before = self._bytes
        self._bytes += size
        if before <= MAX_WAITING_BYTES < self._bytes:
            self.peer.pause_incoming(paused=True)
        elif self._bytes <= MAX_WAITING_BYTES < before:
            self.peer.pause_incoming(paused=False)


def as_rpc_error(error: Exception) -> RpcError:
    """Convert an exception to the JSON-RPC error of the response."""
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
