"""The connection of an external client: JSON-RPC over a transport."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Protocol

from codex_app_server.connection import MISSING_PARAMS, UNSENDABLE, internal_error, unsendable_answer
from codex_app_server.encoding import ENCODER, encode_answer, method_name
from codex_app_server.handshake import build_initialize_result, decode_initialize
from codex_app_server.outbox import IMPATIENT, PATIENT, Outbox
from codex_hookspecs.errors import RpcError
from codex_hookspecs.jsonrpc import ABSENT, OVERLOADED, Malformed, Request, Response, RpcSession, dump
from codex_hookspecs.protocol import ConfigWarning, OtherNotification, WarningNotice
from codex_hookspecs.tracing import TraceContext, parse_trace, set_trace
from codex_hookspecs.wire import json_type_name

if TYPE_CHECKING:
    from codex_app_server.processor import AfterResponse, Processor
    from codex_hookspecs.protocol import InitializeResponse, JsonObject, Notification
    from codex_hookspecs.surface import RpcMethod

_FLUSH_SECONDS: Final = 5.0
"""Seconds for sending queued messages at the end of a connection."""
_QUICK_SECONDS: Final = 0.5
"""Seconds after the client ended its input in which commands and searches can still end by themselves."""
_ANSWER_SECONDS: Final = 10.0
"""Seconds for responding to what else was received before the client ended its input."""

PATIENCE_SECONDS: Final = 5.0
"""Seconds in which one client of several has to read a part of its full queue before it is disconnected."""

MAX_OPEN_REQUESTS: Final = 128
"""Maximum number of concurrent requests of a client; beyond it, they are refused or reading is paused."""
MAX_OPEN_BYTES: Final = 64 * 1024 * 1024
"""Bytes of concurrent requests beyond which reading is paused."""


class Transport(Protocol):
    """Sends and receives encoded messages of one client."""

    @property
    def name(self) -> str:
        """``stdio``, ``websocket`` …"""
        ...

    @property
    def patient(self) -> bool:
        """Whether the server waits for a slow client however long it takes, having no other."""
        ...

    async def receive(self) -> bytes | str | None:
        """Return the next message, or ``None`` when the client has disconnected."""
        ...

    async def send(self, message: bytes) -> None:
        """Send a message, with backpressure.

        :raises OSError: when the client has disconnected.
        """
        ...

    def drop(self) -> None:
        """Disconnect the client at once."""
        ...


class WireConnection:
    """An external client, connected through a transport."""

    def __init__(self, processor: Processor, transport: Transport) -> None:
        self._processor = processor
        self._transport = transport
        self._session = RpcSession()
        self._outbox: Outbox[bytes] = Outbox(PATIENT if transport.patient else IMPATIENT)
        self._pending_requests: dict[int | str, asyncio.Future[JsonObject]] = {}
        self._initialized = False
        self._opted_out: frozenset[str] = frozenset()
        self._told: set[str] = set()
        self._slots = asyncio.Semaphore(MAX_OPEN_REQUESTS)
        self._open_bytes = 0
        self._fewer_bytes = asyncio.Event()
        self._clock: asyncio.TimerHandle | None = None
        self._log = processor.host.logger("app-server")
        self.number = processor.next_number()
        self.client_name = ""
        self.client_version = ""
        self.session_source = "vscode"
        self.transport = transport.name
        self.experimental = False

    async def serve(self) -> None:
        """Serve the client until it disconnects or this is cancelled."""
        writer = asyncio.create_task(self._write())
        requests: set[asyncio.Task[None]] = set()
        try:
            await self._read(requests)
            if self._transport.patient and requests:
                await self._finish(requests)
        finally:
            self._fail_pending()
            for task in requests:
                task.cancel()
            await asyncio.gather(*requests, return_exceptions=True)
            await self._processor.detach(self)
            self._outbox.close()
            if self._clock is not None:
                self._clock.cancel()
            await asyncio.wait({writer}, timeout=_FLUSH_SECONDS)
            writer.cancel()

    async def notify(self, notification: Notification, *, wait: bool = True) -> None:
        """Send a notification, with backpressure; a client that does not read is disconnected."""
        if method_name(notification) in self._opted_out:
            return
        if isinstance(notification, WarningNotice) and notification.message in self._told:
            return
        if isinstance(notification, OtherNotification) and not self._processor.can_send(notification):
            return
        await self._send(ENCODER.encode(notification), wait=wait)

    async def request_client(self, request_id: int, method: str, params: JsonObject) -> JsonObject:
        """Send a request to the client and wait for its response."""
        _id, message = self._session.request(method, params, request_id=request_id)
        future: asyncio.Future[JsonObject] = asyncio.get_running_loop().create_future()
        self._pending_requests[request_id] = future
        try:
            await self._send(dump(message))
            return await future
        finally:
            del self._pending_requests[request_id]
            self._session.forget(request_id)

    async def _read(self, requests: set[asyncio.Task[None]]) -> None:
        while (text := await self._transport.receive()) is not None:
            event = self._session.receive(text)
            if isinstance(event, Request):
                if self._slots.locked() and not self._transport.patient:
                    await self._refuse_overload(event)
                    continue
                await self._slots.acquire()
                await self._wait_for_bytes()
                self._open_bytes += len(text)
                task = asyncio.create_task(self._answer(event, len(text)))
                requests.add(task)
                task.add_done_callback(requests.discard)
            elif isinstance(event, Response):
                self._handle_response(event)
            elif isinstance(event, Malformed):
                self._log.warning("ignored an invalid message: %s", event.reason, extra={"connection": self.number})

    async def _finish(self, requests: set[asyncio.Task[None]]) -> None:
        """Answer what was received before the client ended its input; its commands and searches do not go on."""
        _done, late = await asyncio.wait(requests, timeout=_QUICK_SECONDS)
        if late:
            await self._processor.release(self)
            await asyncio.wait(late, timeout=_ANSWER_SECONDS)

    async def _send(self, message: bytes, *, wait: bool = True) -> None:
        if not self._transport.patient and self._outbox.full:
            self._start_clock()
        if wait or self._transport.patient:
            await self._outbox.put(message, len(message))
        elif not self._outbox.offer(message, len(message)):
            self._disconnect()

    def _start_clock(self) -> None:
        """Give the client time to read a part of its queue."""
        if self._clock is None:
            self._outbox.progressed()
            self._clock = asyncio.get_running_loop().call_later(PATIENCE_SECONDS, self._check_progress)

    def _check_progress(self) -> None:
        self._clock = None
        if not self._outbox.progressed():
            self._disconnect()
        elif self._outbox.full:
            self._start_clock()

    def _disconnect(self) -> None:
        self._log.warning("disconnected client %s, which does not read its messages", self.number)
        self._outbox.close(discard=True)
        self._fail_pending()
        self._transport.drop()

    async def _refuse_overload(self, request: Request) -> None:
        error = RpcError("Server overloaded; retry later.", code=OVERLOADED)
        await self._send(dump(self._session.refuse(request.id, error)))

    async def _wait_for_bytes(self) -> None:
        while self._open_bytes >= MAX_OPEN_BYTES:
            self._fewer_bytes.clear()
            await self._fewer_bytes.wait()

    async def _answer(self, request: Request, size: int) -> None:
        try:
            after = await self._respond(request)
        finally:
            self._slots.release()
            self._open_bytes -= size
            self._fewer_bytes.set()
        for action in after:
            self._processor.spawn(action())

    async def _respond(self, request: Request) -> AfterResponse:
        """Run a request and queue the response; return what to do after that."""
        after: AfterResponse = []
        set_trace(_trace_of(request))
        try:
            if request.method == "initialize":
                result = self._initialize(request)
                after = [self._warn]
            else:
                method, params = self._decode_request(request)
                result, after = await self._processor.run(self, method, params)
            message = encode_answer(request.id, result)
        except RpcError as error:
            message = dump(self._session.refuse(request.id, error))
        except UNSENDABLE as error:
            message = dump(self._session.refuse(request.id, unsendable_answer(request.method, error)))
        except Exception as error:  # Such as no more files to be opened, for the module of the method.
            self._log.exception("%s failed", request.method)
            message = dump(self._session.refuse(request.id, internal_error(f"{request.method} failed: {error!r}")))
        await self._outbox.respond(message, len(message))
        return after

    def _initialize(self, request: Request) -> InitializeResponse:
        if request.params in (ABSENT, None):
            raise RpcError(MISSING_PARAMS)
        params = decode_initialize(request.params)
        if self._initialized:
            raise RpcError("Already initialized")
        self._initialized = True
        result = build_initialize_result(params, self._processor.host)
        self.client_name, self.client_version = params.client_info.name, params.client_info.version
        if params.capabilities is not None:
            self.experimental = params.capabilities.experimental_api
            self._opted_out = frozenset(params.capabilities.opt_out_notification_methods or ())
        self._processor.attach(self)
        return result

    async def _warn(self) -> None:
        """Send the warnings about the configuration and about plugins."""
        warnings = self._processor.warnings()
        self._told.update(warnings)
        for text in warnings:
            await self.notify(ConfigWarning(summary=text))

    def _decode_request(self, request: Request) -> tuple[RpcMethod, object]:
        """Find the method and decode its parameters; the handshake is checked after that, as in Codex."""
        method = self._processor.method(request.method)
        params = None
        if method.params is None:
            _refuse_params(request.params)
        else:
            if request.params in (ABSENT, None):
                raise RpcError(MISSING_PARAMS)
            params = self._processor.decode_params(method, request.params)
        if not self._initialized:
            raise RpcError("Not initialized")
        return method, params

    def _handle_response(self, answer: Response) -> None:
        future = self._pending_requests.get(answer.id)
        if future is None or future.done():
            return
        if answer.error is not None:
            future.set_exception(answer.error)
        else:
            # What is no object lacks all members of an answer; who asked treats it as any other invalid answer.
            future.set_result(answer.result if isinstance(answer.result, dict) else {})

    def _fail_pending(self) -> None:
        from codex_app_server.turns.open_requests import ConnectionLost

        for future in self._pending_requests.values():
            if not future.done():
                future.set_exception(ConnectionLost("the client left before it answered"))

    async def _write(self) -> None:
        try:
            while (message := await self._outbox.get()) is not None:
                await self._transport.send(message)
        except OSError as error:
            self._log.info("client %s is gone: %s", self.number, error)
            self._outbox.close(discard=True)


def _trace_of(request: Request) -> TraceContext | None:
    """Return the trace that the client names for a request; one that is invalid is ignored."""
    trace = request.trace
    return parse_trace(trace.get("traceparent"), trace.get("tracestate")) if isinstance(trace, dict) else None


def _refuse_params(params: object) -> None:
    """Check the parameters of a method that takes none: they may be missing, ``null`` or an object.

    :raises RpcError: when they are something else.
    """
    if params is not ABSENT and params is not None and not isinstance(params, dict):
        raise RpcError(f"Invalid request: invalid type: {json_type_name(params)}, expected unit")
