"""Make HTTP requests from a remote environment (``http/request`` of the exec-server protocol)."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

from codex_exec_remote.client import Client
from codex_exec_remote.http_body import RemoteBody
from codex_hookspecs.environments import MAX_BODY_BYTES, HttpRequest, check_request, read_body, request_failed
from codex_hookspecs.errors import EnvironmentLost, ExecError, HttpError, RpcError
from codex_hookspecs.protocol import JsonObject, uuid4

IDLE_CLIENTS: Final = 4
MAX_CLIENTS: Final = 64
"""Maximum number of concurrent requests; more wait."""
GRACE_SECONDS: Final = 5.0
"""Additional time after the server's own timeout before a request is given up."""
_UNKNOWN_METHOD = -32601


class RemoteHttp:
    """Makes HTTP requests, each on a connection of its own.

    Therefore a body that nobody reads blocks nothing else, not even on servers that handle requests sequentially, and
    a request is cancelled by closing its connection. Idle connections are reused.

    :param connect: opens a new session that is not resumed after a lost connection.
    """

    def __init__(self, connect: Callable[[], Awaitable[Client]]) -> None:
        self._connect = connect
        self._idle: list[Client] = []
        self._busy: set[RemoteResponse] = set()
        self._slots = asyncio.Semaphore(MAX_CLIENTS)
        self._closed = False

    async def send(self, request: HttpRequest) -> RemoteResponse:
        """Send a request; it is not repeated when the connection is lost.

        :raises HttpError: when it can't be sent, or there is no response in time.
        """
        check_request(request)
        seconds = None if request.timeout is None else request.timeout + GRACE_SECONDS
        deadline = None if seconds is None else asyncio.get_running_loop().time() + seconds
        try:
            async with asyncio.timeout_at(deadline):
                await self._slots.acquire()
        except TimeoutError as error:
            raise request_failed(request.url) from error
        try:
            client = await self._client()
        except BaseException:
            self._slots.release()
            raise
        request_id = uuid4()
        body = RemoteBody(lambda paused: client.pause_reading(request_id, paused=paused), deadline)
        response = RemoteResponse(self, client, request_id, body)
        self._busy.add(response)
        client.processes[request_id] = body
        try:
            answer = await client.call("http/request", _params(request, request_id), seconds=seconds)
            response.decode_head(answer)
        except BaseException as error:
            lost = client.end_reason
            await response.aclose()
            if isinstance(error, RpcError):
                raise _to_http_error(error, request) from error
            if isinstance(error, EnvironmentLost):
                raise (HttpError(lost) if lost is not None else request_failed(request.url)) from error
            raise
        return response

    async def aclose(self) -> None:
        """Cancel all requests and close all connections."""
        self._closed = True
        await asyncio.gather(*(response.aclose() for response in list(self._busy)))
        idle, self._idle = self._idle, []
        await asyncio.gather(*(client.aclose() for client in idle))

    async def release(self, response: RemoteResponse, client: Client, *, usable: bool) -> None:
        """Return the connection of a finished request to the pool, or close it."""
        self._busy.discard(response)
        self._slots.release()
        if usable and not self._closed and client.end_reason is None and len(self._idle) < IDLE_CLIENTS:
            self._idle.append(client)
        else:
            await client.aclose()

    async def _client(self) -> Client:
        if self._closed:
            raise HttpError("the environment is closed")
        while self._idle:
            client = self._idle.pop()
            if client.end_reason is None:
                return client
            await client.aclose()
        try:
            return await self._connect()
        except ExecError as error:
            raise HttpError(str(error)) from error


class RemoteResponse:
    """A response whose body is still to be read."""

    def __init__(self, owner: RemoteHttp, client: Client, request_id: str, body: RemoteBody) -> None:
        self.status = 0
        self.headers: tuple[tuple[str, str], ...] = ()
        self._owner = owner
        self._client = client
        self._id = request_id
        self._body = body
        self._closed = False

    def decode_head(self, answer: Any) -> None:
        """Decode status and headers.

        :raises HttpError: when they are missing or malformed.
        """
        try:
            self.status = int(answer["status"])
            self.headers = tuple((str(each["name"]).lower(), str(each["value"])) for each in answer["headers"])
        except (KeyError, TypeError, ValueError) as error:
            raise HttpError("the exec-server sent an invalid response to http/request") from error

    async def chunks(self) -> AsyncIterator[bytes]:
        """Iterate the pieces of the body once."""
        try:
            async for piece in self._body:
                yield piece
        finally:
            await self.aclose()

    async def read(self, limit: int = MAX_BODY_BYTES) -> bytes:
        """Return the whole body and close the response."""
        try:
            return await read_body(self.chunks(), limit)
        finally:
            await self.aclose()

    async def aclose(self) -> None:
        """Close the response; cancels the request when the body is not complete."""
        if self._closed:
            return
        self._closed = True
        self._client.processes.pop(self._id, None)
        self._client.pause_reading(self._id, paused=False)
        self._body.on_lost("the response was closed")
        await self._owner.release(self, self._client, usable=self._body.complete)


def _params(request: HttpRequest, request_id: str) -> JsonObject:
    return {
        "method": request.method,
        "url": request.url,
        "headers": [{"name": name, "value": value} for name, value in request.headers],
        "bodyBase64": None if request.body is None else b64encode(request.body).decode(),
        "timeoutMs": None if request.timeout is None else max(1, int(request.timeout * 1000)),
        "redirectPolicy": request.redirects,
        "requestId": request_id,
        "streamResponse": True,
    }


def _to_http_error(error: RpcError, request: HttpRequest) -> HttpError:
    if error.code == _UNKNOWN_METHOD:
        return HttpError("this exec-server can't make HTTP requests", code=error.code)
    if error.message.endswith("timed out"):  # Codex's server has two texts for it.
        return request_failed(request.url)
    return HttpError(error.message, code=error.code)
