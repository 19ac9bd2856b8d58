"""Handle ``http/request``: make HTTP requests from this machine."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from typing import TYPE_CHECKING, Any

from codex_exec_server.connection import Connection, Method
from codex_exec_server.decoding import (
    REQUIRED,
    boolean,
    data,
    invalid_params,
    optional,
    sequence,
    string,
    struct,
    unsigned,
    variant,
)
from codex_exec_server.messages import encode_notification
from codex_hookspecs.environments import BODY_DECODE_ERROR, HttpRequest, check_request
from codex_hookspecs.errors import HttpError

if TYPE_CHECKING:
    from codex_hookspecs.environments import HttpResponse

_header = struct("HttpHeader", {"name": (string, REQUIRED), "value": (string, REQUIRED)})
_params = struct(
    "HttpRequestParams",
    {
        "method": (string, REQUIRED),
        "url": (string, REQUIRED),
        "headers": (sequence(_header), []),
        "bodyBase64": (optional(data), None),
        "timeoutMs": (optional(unsigned), None),
        "redirectPolicy": (variant("follow", "stop"), "follow"),
        "requestId": (string, REQUIRED),
        "streamResponse": (boolean, False),
    },
)


def _read(value: Any) -> dict[str, Any]:
    found: dict[str, Any] = _params(value)
    milliseconds = found["timeoutMs"]
    found["request"] = HttpRequest(
        url=found["url"],
        method=found["method"],
        headers=tuple((header["name"], header["value"]) for header in found["headers"]),
        body=found["bodyBase64"],
        timeout=None if milliseconds is None else milliseconds / 1000,
        redirects=found["redirectPolicy"],
    )
    check_request(found["request"])
    return found


class Requests:
    """The HTTP requests of a connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._http = connection.server.environment.http
        self._streams: dict[str, asyncio.Task[None] | None] = {}

    async def run(self, params: dict[str, Any]) -> Any:
        """Make a request; with ``streamResponse`` the body of the response follows in notifications."""
        request, request_id = params["request"], params["requestId"]
        if not params["streamResponse"]:
            response = await self._http.send(request)
            return {**_head(response), "bodyBase64": b64encode(await response.read()).decode()}
        if request_id in self._streams:
            raise invalid_params(f"http/request streamResponse requestId `{request_id}` is already active")
        self._streams[request_id] = None
        try:
            response = await self._http.send(request)
        except BaseException:
            self._streams.pop(request_id, None)
            raise
        task = asyncio.create_task(self._stream(request_id, response), name=f"http {request_id}")
        self._streams[request_id] = task
        return {**_head(response), "bodyBase64": ""}

    async def aclose(self) -> None:
        """Cancel the running requests."""
        tasks = [task for task in self._streams.values() if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _stream(self, request_id: str, response: HttpResponse) -> None:
        peer = self._connection.peer
        seq, failure = 0, None

        def send_delta(piece: bytes, *, done: bool) -> None:
            delta = b64encode(piece).decode()
            delta_params = {"requestId": request_id, "seq": seq, "deltaBase64": delta, "done": done, "error": failure}
            peer.queue(encode_notification("http/request/bodyDelta", delta_params))

        try:
            async for piece in response.chunks():
                while peer.paused and not peer.gone:
                    await peer.room()
                seq += 1
                send_delta(piece, done=False)
        except HttpError:
            failure = BODY_DECODE_ERROR
        finally:
            await response.aclose()
            self._streams.pop(request_id, None)
        seq += 1
        send_delta(b"", done=True)


def _head(response: HttpResponse) -> dict[str, Any]:
    headers = [{"name": name, "value": value} for name, value in response.headers]
    return {"status": response.status, "headers": headers}


async def _request(connection: Connection, params: dict[str, Any]) -> Any:
    requests = connection.resources.get("http")
    if requests is None:
        requests = connection.resources["http"] = Requests(connection)
    return await requests.run(params)


METHODS = {"http/request": Method(_read, _request, "http")}
