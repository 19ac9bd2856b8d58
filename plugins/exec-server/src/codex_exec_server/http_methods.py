"""Make HTTP requests from this machine (``http/request``)."""

from __future__ import annotations

import asyncio
import re
from base64 import b64encode
from typing import TYPE_CHECKING, Any

from codex_exec_server.connection import Connection, Method
from codex_exec_server.decoding import REQUIRED, data, flag, items, optional, struct, text, whole, word, wrong
from codex_exec_server.messages import notification
from codex_hookspecs.errors import RpcError

if TYPE_CHECKING:
    import httpx

MOST_BODY = 256 * 1024 * 1024
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(//([^/?#]*))?")
_header = struct("HttpHeader", {"name": (text, REQUIRED), "value": (text, REQUIRED)})
_params = struct(
    "HttpRequestParams",
    {
        "method": (text, REQUIRED),
        "url": (text, REQUIRED),
        "headers": (items(_header), []),
        "bodyBase64": (optional(data), None),
        "timeoutMs": (optional(whole), None),
        "redirectPolicy": (word("follow", "stop"), "follow"),
        "requestId": (text, REQUIRED),
        "streamResponse": (flag, False),
    },
)


def _read(value: Any) -> dict[str, Any]:
    found: dict[str, Any] = _params(value)
    if not _TOKEN.match(found["method"]):
        raise wrong("http/request method is invalid: invalid HTTP method")
    url = _URL.match(found["url"])
    if url is None:
        raise wrong("http/request url is invalid: relative URL without a base")
    if url[1].lower() not in ("http", "https"):
        raise wrong(f"http/request only supports http and https URLs, got {url[1].lower()}")
    if not (url[3] or "").rpartition("@")[2]:
        raise wrong("http/request url is invalid: empty host")
    for header in found["headers"]:
        name, value = header["name"], header["value"]
        if not _TOKEN.match(name):
            raise wrong("http/request header name is invalid: invalid HTTP header name")
        if any((ord(sign) < 32 and sign != "\t") or ord(sign) == 127 for sign in value):
            raise wrong(f"http/request header value is invalid for {name}: failed to parse header value")
    return found


class Requests:
    """The requests of one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._streams: dict[str, asyncio.Task[None] | None] = {}
        self._client: httpx.AsyncClient | None = None

    async def run(self, params: dict[str, Any]) -> Any:
        """Make a request; with ``streamResponse`` its body follows in notifications."""
        stream, request_id = params["streamResponse"], params["requestId"]
        if stream and request_id in self._streams:
            raise wrong(f"http/request streamResponse requestId `{request_id}` is already active")
        if stream:
            self._streams[request_id] = None
        milliseconds = params["timeoutMs"]
        deadline = None if milliseconds is None else asyncio.get_running_loop().time() + milliseconds / 1000
        try:
            async with asyncio.timeout_at(deadline):
                response = await self._send(params)
                if not stream:
                    return {**_head(response), "bodyBase64": b64encode(await _body(response)).decode()}
        except BaseException as error:
            self._streams.pop(request_id if stream else "", None)
            if isinstance(error, TimeoutError):
                raise _unsent(params) from error
            raise
        task = asyncio.create_task(self._stream(request_id, response, deadline), name=f"http {request_id}")
        self._streams[request_id] = task
        return {**_head(response), "bodyBase64": ""}

    async def aclose(self) -> None:
        """Give up what is under way."""
        tasks = [task for task in self._streams.values() if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()

    async def _send(self, params: dict[str, Any]) -> httpx.Response:
        import httpx

        client = self._opened()
        try:
            request = client.build_request(
                params["method"],
                params["url"],
                headers=[(header["name"], header["value"]) for header in params["headers"]],
                content=params["bodyBase64"],
            )
            return await client.send(request, stream=True, follow_redirects=params["redirectPolicy"] == "follow")
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise _unsent(params) from error

    def _opened(self) -> httpx.AsyncClient:
        if self._client is None:
            from http.cookiejar import CookieJar, DefaultCookiePolicy

            import httpx

            jar = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
            self._client = httpx.AsyncClient(timeout=None, cookies=jar)  # noqa: S113
            for name in ("accept-encoding", "user-agent", "connection"):
                del self._client.headers[name]
        return self._client

    async def _stream(self, request_id: str, response: httpx.Response, deadline: float | None) -> None:
        import httpx

        outlet = self._connection.outlet
        seq, failure = 0, None

        def tell(piece: bytes, *, done: bool) -> None:
            delta = b64encode(piece).decode()
            told = {"requestId": request_id, "seq": seq, "deltaBase64": delta, "done": done, "error": failure}
            outlet.queue(notification("http/request/bodyDelta", told))

        try:
            async with asyncio.timeout_at(deadline):
                async for piece in response.aiter_raw():
                    while outlet.paused and not outlet.gone:
                        await outlet.room()
                    seq += 1
                    tell(piece, done=False)
        except (httpx.HTTPError, OSError, TimeoutError):
            failure = "error decoding response body"
        finally:
            await response.aclose()
            self._streams.pop(request_id, None)
        seq += 1
        tell(b"", done=True)


def _head(response: httpx.Response) -> dict[str, Any]:
    headers = [
        {"name": name.decode("latin-1").lower(), "value": value.decode("utf-8", "replace")}
        for name, value in response.headers.raw
    ]
    return {"status": response.status_code, "headers": headers}


async def _body(response: httpx.Response) -> bytes:
    import httpx

    parts, size = [], 0
    try:
        async for part in response.aiter_raw():
            parts.append(part)
            size += len(part)
            if size > MOST_BODY:
                raise RpcError(f"http/request response body is larger than {MOST_BODY} bytes", code=-32603)
    except (httpx.HTTPError, OSError) as error:
        text = "failed to read http/request response body: error decoding response body"
        raise RpcError(text, code=-32603) from error
    finally:
        await response.aclose()
    return b"".join(parts)


def _unsent(params: dict[str, Any]) -> RpcError:
    return RpcError(f"http/request failed: error sending request for url ({params['url']})", code=-32603)


async def _request(connection: Connection, params: dict[str, Any]) -> Any:
    requests = connection.resources.get("http")
    if requests is None:
        requests = connection.resources["http"] = Requests(connection)
    return await requests.run(params)


METHODS = {"http/request": Method(_read, _request, "http", waits=True)}
