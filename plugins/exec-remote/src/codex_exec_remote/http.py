"""Make HTTP requests from another machine (``http/request`` of the exec-server protocol)."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

from codex_exec_remote.body import RemoteBody
from codex_exec_remote.client import Client
from codex_hookspecs.environments import LARGEST_BODY, HttpRequest, check_request, unsent, whole_body
from codex_hookspecs.errors import EnvironmentLost, ExecError, HttpError, RpcError
from codex_hookspecs.protocol import JsonObject, uuid4

IDLE_CLIENTS: Final = 4
MOST_CLIENTS: Final = 64
"""Requests that can be under way at once; more wait for their turn."""
GRACE_SECONDS: Final = 5.0
"""How much later than the server this side gives a request up."""
_UNKNOWN_METHOD = -32601


class RemoteHttp:
    """Makes requests, each on a connection of its own for as long as it lasts.

    So a body that nobody reads holds up nothing else, servers that do one thing after the other are not kept busy, and
    to hang up is to let go of the request. Connections that are free are used again.

    :param connect: returns a new session, which is not resumed when its connection is lost.
    """

    def __init__(self, connect: Callable[[], Awaitable[Client]]) -> None:
        self._connect = connect
        self._idle: list[Client] = []
        self._busy: set[RemoteResponse] = set()
        self._turns = asyncio.Semaphore(MOST_CLIENTS)
        self._closed = False

    async def send(self, request: HttpRequest) -> RemoteResponse:
        """Make a request, once: it is not repeated when the connection is lost.

        :raises HttpError: when it can't be made, or there is no answer in time.
        """
        check_request(request)
        seconds = None if request.timeout is None else request.timeout + GRACE_SECONDS
        deadline = None if seconds is None else asyncio.get_running_loop().time() + seconds
        try:
            async with asyncio.timeout_at(deadline):
                await self._turns.acquire()
        except TimeoutError as error:
            raise unsent(request.url) from error
        try:
            client = await self._client()
        except BaseException:
            self._turns.release()
            raise
        request_id = uuid4()
        body = RemoteBody(lambda held: client.hold(request_id, held=held), deadline)
        response = RemoteResponse(self, client, request_id, body)
        self._busy.add(response)
        client.processes[request_id] = body
        try:
            answer = await client.call("http/request", _params(request, request_id), seconds=seconds)
            response.read_head(answer)
        except BaseException as error:
            lost = client.dead
            await response.aclose()
            if isinstance(error, RpcError):
                raise _refused(error, request) from error
            if isinstance(error, EnvironmentLost):
                raise (HttpError(lost) if lost is not None else unsent(request.url)) from error
            raise
        return response

    async def aclose(self) -> None:
        """Give up what is under way."""
        self._closed = True
        await asyncio.gather(*(response.aclose() for response in list(self._busy)))
        idle, self._idle = self._idle, []
        await asyncio.gather(*(client.aclose() for client in idle))

    async def give_back(self, response: RemoteResponse, client: Client, *, usable: bool) -> None:
        """Take back the connection of a request that is over."""
        self._busy.discard(response)
        self._turns.release()
        if usable and not self._closed and client.dead is None and len(self._idle) < IDLE_CLIENTS:
            self._idle.append(client)
        else:
            await client.aclose()

    async def _client(self) -> Client:
        if self._closed:
            raise HttpError("the environment is closed")
        while self._idle:
            client = self._idle.pop()
            if client.dead is None:
                return client
            await client.aclose()
        try:
            return await self._connect()
        except ExecError as error:
            raise HttpError(str(error)) from error


class RemoteResponse:
    """An answer whose body is still to come."""

    def __init__(self, among: RemoteHttp, client: Client, request_id: str, body: RemoteBody) -> None:
        self.status = 0
        self.headers: tuple[tuple[str, str], ...] = ()
        self._among = among
        self._client = client
        self._id = request_id
        self._body = body
        self._closed = False

    def read_head(self, answer: Any) -> None:
        """Read status and headers.

        :raises HttpError: when there are none.
        """
        try:
            self.status = int(answer["status"])
            self.headers = tuple((str(each["name"]).lower(), str(each["value"])) for each in answer["headers"])
        except (KeyError, TypeError, ValueError) as error:
            raise HttpError("the exec-server answered http/request with what can't be read") from error

    async def chunks(self) -> AsyncIterator[bytes]:
        """Iterate the body once."""
        try:
            async for piece in self._body:
                yield piece
        finally:
            await self.aclose()

    async def read(self, limit: int = LARGEST_BODY) -> bytes:
        """Return the whole body, and close."""
        try:
            return await whole_body(self.chunks(), limit)
        finally:
            await self.aclose()

    async def aclose(self) -> None:
        """Let go of the exchange."""
        if self._closed:
            return
        self._closed = True
        self._client.processes.pop(self._id, None)
        self._client.hold(self._id, held=False)
        self._body.lost("it was let go of")
        await self._among.give_back(self, self._client, usable=self._body.complete)


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


def _refused(error: RpcError, request: HttpRequest) -> HttpError:
    if error.code == _UNKNOWN_METHOD:
        return HttpError("this exec-server can't make HTTP requests", code=error.code)
    if error.message.endswith("timed out"):  # The real server has two ways to say it.
        return unsent(request.url)
    return HttpError(error.message, code=error.code)
