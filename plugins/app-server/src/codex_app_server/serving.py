"""Connect one outside client to the request processor: a pump between a transport and a JSON-RPC session."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Protocol

from codex_app_server.connection import method_of
from codex_app_server.handshake import initialize_params, initialize_result
from codex_app_server.outbox import Outbox
from codex_app_server.subscriptions import ConnectionGoneError
from codex_hookspecs.errors import RpcError
from codex_hookspecs.jsonrpc import ABSENT, INTERNAL_ERROR, Malformed, Request, Response, RpcSession, dump
from codex_hookspecs.protocol import OtherNotification
from codex_hookspecs.wire import encode

if TYPE_CHECKING:
    from codex_app_server.processor import After, Processor
    from codex_hookspecs.protocol import JsonObject, Notification
    from codex_hookspecs.surface import RpcMethod

_FAREWELL_LIMIT: Final = 5.0
"""Seconds that what is still on its way to a client may take when it has left."""

OPEN_REQUESTS: Final = 128
"""Requests of one client that may be worked on at once; then it is not read any further."""


class Transport(Protocol):
    """Carries encoded messages to and from one client."""

    @property
    def name(self) -> str:
        """``stdio``, ``websocket`` …"""
        ...

    async def receive(self) -> bytes | str | None:
        """Return the next message, or ``None`` when the client is gone."""
        ...

    async def send(self, message: bytes) -> None:
        """Send a message, waiting while the client is slow.

        :raises OSError: when the client is gone.
        """
        ...


class WireConnection:
    """A client behind a transport."""

    def __init__(self, processor: Processor, transport: Transport) -> None:
        self._processor = processor
        self._transport = transport
        self._session = RpcSession()
        self._outbox: Outbox[bytes] = Outbox()
        self._questions: dict[int | str, asyncio.Future[JsonObject]] = {}
        self._opted_out: frozenset[str] = frozenset()
        self._slots = asyncio.Semaphore(OPEN_REQUESTS)
        self._log = processor.host.logger("app-server")
        self.number = processor.next_number()
        self.client_name = ""
        self.client_version = ""
        self.session_source = "vscode"
        self.transport = transport.name
        self.experimental = False

    async def serve(self) -> None:
        """Work for the client until it is gone or this is cancelled."""
        writer = asyncio.create_task(self._write())
        requests: set[asyncio.Task[None]] = set()
        try:
            await self._read(requests)
        finally:
            self._leave()
            for task in requests:
                task.cancel()
            await asyncio.gather(*requests, return_exceptions=True)
            await self._processor.detach(self)
            self._outbox.close()
            await asyncio.wait({writer}, timeout=_FAREWELL_LIMIT)
            writer.cancel()

    async def notify(self, notification: Notification) -> None:
        """Send a notification."""
        method = method_of(notification)
        if method not in self._opted_out:
            params = notification.params if isinstance(notification, OtherNotification) else encode(notification)
            try:
                message = dump(self._session.notify(method, params))
            except (TypeError, ValueError) as error:
                self._log.error("notification %s can't be sent: %s", method, error)
                return
            await self._outbox.put(message)

    async def ask(self, request_id: int, method: str, params: JsonObject) -> JsonObject:
        """Send a request and wait for its answer."""
        _id, message = self._session.request(method, params, request_id=request_id)
        future: asyncio.Future[JsonObject] = asyncio.get_running_loop().create_future()
        self._questions[request_id] = future
        try:
            await self._outbox.put(dump(message))
            return await future
        finally:
            del self._questions[request_id]
            self._session.forget(request_id)

    async def _read(self, requests: set[asyncio.Task[None]]) -> None:
        while (text := await self._transport.receive()) is not None:
            event = self._session.receive(text)
            if isinstance(event, Request):
                await self._slots.acquire()
                task = asyncio.create_task(self._answer(event))
                requests.add(task)
                task.add_done_callback(requests.discard)
            elif isinstance(event, Response):
                self._settle(event)
            elif isinstance(event, Malformed):
                self._log.error("ignored what a client sent: %s", event.reason)

    async def _answer(self, request: Request) -> None:
        after: After = []
        try:
            if request.method == "initialize":
                result = self._initialize(request)
            else:
                method, params = self._prepared(request)
                result, after = await self._processor.run(self, method, params)
            message = dump(self._session.answer(request.id, encode(result)))
        except RpcError as error:
            message = dump(self._session.refuse(request.id, error))
        except (TypeError, ValueError) as error:
            problem = f"the answer to {request.method} can't be sent: {error}"
            message = dump(self._session.refuse(request.id, RpcError(problem, code=INTERNAL_ERROR)))
        finally:
            self._slots.release()
        self._outbox.push(message)
        for action in after:
            self._processor.spawn(action())

    def _initialize(self, request: Request) -> JsonObject:
        if request.params is ABSENT:
            raise RpcError("Invalid request: missing field `params`")
        params = initialize_params(request.params)
        if self.client_name:
            raise RpcError("Already initialized")
        result = initialize_result(params, self._processor.host)
        self.client_name, self.client_version = params.client_info.name, params.client_info.version
        if params.capabilities is not None:
            self.experimental = params.capabilities.experimental_api
            self._opted_out = frozenset(params.capabilities.opt_out_notification_methods or ())
        self._processor.attach(self)
        return result

    def _prepared(self, request: Request) -> tuple[RpcMethod, object]:
        """Find the method and read its parameters; only then the handshake is asked for, as the public server does."""
        method = self._processor.method(request.method)
        params = None
        if method.params is not None:
            if request.params is ABSENT:
                raise RpcError("Invalid request: missing field `params`")
            params = self._processor.decoded(method, request.params)
        if not self.client_name:
            raise RpcError("Not initialized")
        return method, params

    def _settle(self, answer: Response) -> None:
        future = self._questions.get(answer.id)
        if future is None or future.done():
            return
        if answer.error is not None:
            future.set_exception(answer.error)
        elif isinstance(answer.result, dict):
            future.set_result(answer.result)
        else:
            future.set_exception(RpcError("the client's answer is not an object"))

    def _leave(self) -> None:
        for future in self._questions.values():
            if not future.done():
                future.set_exception(ConnectionGoneError("the client left before it answered"))

    async def _write(self) -> None:
        try:
            while (message := await self._outbox.get()) is not None:
                await self._transport.send(message)
        except OSError as error:
            self._log.info("client %s is gone: %s", self.number, error)
            self._outbox.close()
