"""A connection to an app-server elsewhere, for front ends of this program."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from websockets.exceptions import ConnectionClosed

from codex_app_server.connection import UNSENDABLE
from codex_app_server.outbox import Outbox
from codex_hookspecs.errors import RpcError
from codex_hookspecs.jsonrpc import (
    ABSENT,
    INTERNAL_ERROR,
    Malformed,
    Notification,
    Request,
    Response,
    RpcSession,
    dump,
)
from codex_hookspecs.wire import encode

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from websockets.asyncio.client import ClientConnection

    from codex_app_server.remote.decoding import Decoder
    from codex_hookspecs.host import RequestHandler
    from codex_hookspecs.protocol import JsonObject
    from codex_hookspecs.protocol import Notification as Notice

_HANDSHAKE_SECONDS: Final = 30.0
_FRAME_BYTES: Final = 4 * 1024 * 1024
_QUEUED: Final = 4096
"""Notifications that are queued for the front end before reading is paused."""


class RemoteClient:
    """A client of a server elsewhere; see :class:`~codex_hookspecs.ports.surface.AppClient`.

    :param link: the open WebSocket.
    :param url: what the server is called in errors.
    """

    def __init__(self, link: ClientConnection, decoder: Decoder, url: str, client_name: str) -> None:
        self._link = link
        self._decoder = decoder
        self._url = url
        self._client_name = client_name
        self._session = RpcSession()
        self._inbox: Outbox[Notice] = Outbox(_QUEUED)
        self._pending: dict[int | str, asyncio.Future[Any]] = {}
        self._request_handler: RequestHandler | None = None
        self._answering: set[asyncio.Task[None]] = set()
        self._sending = asyncio.Lock()
        self._closed = False
        self._lost = ""
        self._reader = asyncio.create_task(self._read())

    async def initialize(self, client_version: str, *, experimental: bool) -> None:
        """Perform the handshake.

        :raises RpcError: when the server refuses it, or does not answer.
        """
        client = {"name": self._client_name, "title": None, "version": client_version}
        params = {"clientInfo": client, "capabilities": {"experimentalApi": experimental}}
        try:
            async with asyncio.timeout(_HANDSHAKE_SECONDS):
                await self._request("initialize", params)
                await self._send(self._session.notify("initialized"))
        except TimeoutError:
            await self.aclose()
            raise RpcError(f"the app-server at {self._url} does not answer") from None
        except BaseException:
            await self.aclose()
            raise

    async def request(self, method: str, params: Any = None) -> Any:
        """Call a method.

        :raises RpcError: when the response is an error, or the connection is lost.
        """
        return self._decoder.decode_result(method, await self._request(method, params))

    async def notifications(self) -> AsyncIterator[Notice]:
        """Iterate the notifications until the connection is closed.

        :raises RpcError: when it is lost.
        """
        while (notification := await self._inbox.get()) is not None:
            yield notification
        if self._lost:
            raise self._lost_error()

    def set_request_handler(self, handler: RequestHandler | None) -> None:
        """Set the handler of the server's requests."""
        self._request_handler = handler

    async def aclose(self) -> None:
        """Close the connection, within a few seconds; may be called twice."""
        self._closed = True
        self._reader.cancel()
        for task in self._answering:
            task.cancel()
        await asyncio.gather(self._reader, *self._answering, return_exceptions=True)
        self._end("the connection was closed")
        await self._link.close()

    async def _request(self, method: str, params: Any) -> Any:
        if self._lost or self._closed:
            raise self._lost_error()
        number, message = self._session.request(method, ABSENT if params is None else encode(params))
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._pending[number] = future
        try:
            await self._send(message)
            return await future
        finally:
            del self._pending[number]
            self._session.forget(number)

    async def _send(self, message: JsonObject) -> None:
        """Send a message, a long one in several frames.

        :raises RpcError: when the connection is lost, or the message can't be sent.
        """
        try:
            data = dump(message)
        except UNSENDABLE as error:
            raise RpcError(f"Invalid request: {error}") from error
        pieces = [data[start : start + _FRAME_BYTES] for start in range(0, len(data), _FRAME_BYTES)]
        try:
            async with self._sending:
                await self._link.send(data if len(pieces) == 1 else pieces, text=True)
        except ConnectionClosed as error:
            self._end(_reason(error))
            raise self._lost_error() from error

    async def _read(self) -> None:
        try:
            while True:
                await self._handle(await self._link.recv(decode=False))
        except ConnectionClosed as error:
            self._end(_reason(error))

    async def _handle(self, data: bytes) -> None:
        event = self._session.receive(data)
        if isinstance(event, Response):
            future = self._pending.get(event.id)
            if future is not None and not future.done():
                if event.error is not None:
                    future.set_exception(event.error)
                else:
                    future.set_result(event.result)
        elif isinstance(event, Notification):
            await self._inbox.put(self._decoder.decode_notification(event.method, event.params), len(data))
        elif isinstance(event, Request):
            task = asyncio.create_task(self._answer(event))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)
        elif isinstance(event, Malformed):
            self._end(f"the server sent an invalid message ({event.reason})")
            await self._link.close(1002)

    async def _answer(self, request: Request) -> None:
        params = request.params if isinstance(request.params, dict) else {}
        try:
            if self._request_handler is None:
                raise RpcError(f"{self._client_name} answers no requests such as {request.method}")
            message = self._session.answer(request.id, encode(await self._request_handler(request.method, params)))
        except RpcError as error:
            message = self._session.refuse(request.id, error)
        except Exception as error:
            refusal = RpcError(f"{request.method} failed: {error!r}", code=INTERNAL_ERROR)
            message = self._session.refuse(request.id, refusal)
        try:
            await self._send(message)
        except RpcError:
            return  # The connection is lost, which everybody else is told.

    def _end(self, reason: str) -> None:
        if not self._lost:
            self._lost = "" if self._closed else reason
            for future in self._pending.values():
                if not future.done():
                    future.set_exception(RpcError(self._text(reason)))
            self._inbox.close()

    def _lost_error(self) -> RpcError:
        return RpcError(self._text(self._lost or "the connection was closed"))

    def _text(self, reason: str) -> str:
        return f"the connection to the app-server at {self._url} was lost: {reason}"


def _reason(error: ConnectionClosed) -> str:
    from codex_hookspecs.surface import escape_controls_in_line

    received = error.rcvd
    if received is None:
        return "it does not answer" if error.sent is not None else "it is gone"
    said = f": {escape_controls_in_line(received.reason)}" if received.reason else ""
    return f"the server closed it ({received.code}{said})"
