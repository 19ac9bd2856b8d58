"""JSON-RPC as a state machine without I/O: messages in, events out.

The format of Codex's app-server and exec-server: JSON-RPC 2.0 without the ``jsonrpc`` member, which is ignored in
received messages. The session is symmetric: both sides may send requests, notifications and responses.

    session = RpcSession()
    for event in map(session.receive, lines.feed(data)):
        if isinstance(event, Request):
            send(dump(session.answer(event.id, {"pong": True})))
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final, TypeAlias

from attrs import field

from codex_hookspecs.errors import RpcError
from codex_hookspecs.json_text import parse_json
from codex_hookspecs.types.json import JsonObject
from codex_hookspecs.values import frozen

__all__ = [
    "ABSENT",
    "INTERNAL_ERROR",
    "INVALID_PARAMS",
    "INVALID_REQUEST",
    "MAX_MESSAGE",
    "OVERLOADED",
    "Event",
    "LineFramer",
    "Malformed",
    "Notification",
    "Request",
    "Response",
    "RpcId",
    "RpcSession",
    "UnknownResponse",
    "dump",
]

INVALID_REQUEST: Final = -32600
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603
OVERLOADED: Final = -32001

MAX_MESSAGE: Final = 128 * 1024 * 1024
"""Most bytes of one message; large enough for prompts of ten megabytes and files in Base64."""

RpcId: TypeAlias = int | str


class _Absent:
    """Sentinel for a missing member, as opposed to null."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent()


@frozen
class Request:
    """A request from the other side.

    :param id: id for the response.
    :param method: its method.
    :param params: its parameters, or ``ABSENT``.
    :param trace: its member ``trace``, by which a client of the app-server names the trace that the request belongs to.
    """

    id: RpcId
    method: str
    params: Any = field(default=ABSENT, kw_only=True)
    trace: Any = field(default=None, kw_only=True)


@frozen
class Notification:
    """A notification from the other side.

    :param method: its method.
    :param params: its parameters, or ``ABSENT``.
    """

    method: str
    params: Any = ABSENT


@frozen
class Response:
    """A response of the other side: a result or an error.

    :param id: id of the request.
    :param result: the result.
    :param error: the error, or ``None``.
    """

    id: RpcId
    result: Any = None
    error: RpcError | None = field(default=None, kw_only=True)


@frozen
class UnknownResponse:
    """A response without a pending request; it is ignored.

    :param id: id of the response.
    """

    id: Any


@frozen
class Malformed:
    """An invalid message; it gets no response, and the connection stays open.

    :param reason: what is wrong with it.
    """

    reason: str


Event: TypeAlias = Request | Notification | Response | UnknownResponse | Malformed


class RpcSession:
    """One side of a connection.

    :param max_message: most bytes of a received message.
    """

    def __init__(self, *, max_message: int = MAX_MESSAGE) -> None:
        self._max_message = max_message
        self._asked: set[RpcId] = set()
        self._next_id = 0

    def receive(self, text: bytes | str) -> Event:
        """Process one encoded message and return its event."""
        if len(text) > self._max_message:
            return Malformed(f"a message of {len(text)} bytes, allowed are {self._max_message}")
        try:
            value = parse_json(text)
            _refuse_half_characters(text, value)
        except ValueError as error:
            return Malformed(f"not JSON: {error}")
        return self.receive_value(value)

    def receive_value(self, value: Any) -> Event:
        """Process one decoded message and return its event."""
        if not isinstance(value, dict):
            return Malformed("a message must be an object")
        method = value.get("method")
        if isinstance(method, str):
            return _called(value, method)
        if "method" in value or not ({"result", "error"} & value.keys()):
            return Malformed("a message needs a method, a result or an error")
        return self._answered(value)

    def request(
        self, method: str, params: Any = ABSENT, *, request_id: RpcId | None = None
    ) -> tuple[RpcId, JsonObject]:
        """Return a request to send; its response will be a :class:`Response` event with the returned id.

        :param request_id: id to use instead of the session's own count.
        """
        if request_id is None:
            request_id, self._next_id = self._next_id, self._next_id + 1
        self._asked.add(request_id)
        return request_id, {"method": method, "id": request_id, **_params(params)}

    def notify(self, method: str, params: Any = ABSENT) -> JsonObject:
        """Return a notification to send."""
        return {"method": method, **_params(params)}

    def answer(self, request_id: RpcId, result: Any) -> JsonObject:
        """Return the response to a request of the other side."""
        return {"id": request_id, "result": result}

    def refuse(self, request_id: RpcId, error: RpcError) -> JsonObject:
        """Return an error response to a request of the other side."""
        body: JsonObject = {"code": error.code, "message": error.message}
        if error.data is not None:
            body["data"] = error.data
        return {"error": body, "id": request_id}

    def forget(self, request_id: RpcId) -> None:
        """Drop a pending request; a later response to it becomes :class:`UnknownResponse`."""
        self._asked.discard(request_id)

    def _answered(self, value: JsonObject) -> Event:
        request_id = value.get("id")
        if not _is_id(request_id) or request_id not in self._asked:
            return UnknownResponse(request_id)
        self._asked.discard(request_id)
        error = value.get("error")
        if error is None:
            return Response(request_id, value.get("result"))
        if not isinstance(error, dict):
            error = {"message": str(error)}
        code = error.get("code")
        message = str(error.get("message", "unknown error"))
        refusal = RpcError(message, code=code if type(code) is int else INTERNAL_ERROR, data=error.get("data"))
        return Response(request_id, error=refusal)


class LineFramer:
    """Splits a byte stream into lines, one message each, as sent by stdio transports.

    :param max_message: most bytes of a line; a longer one is dropped and counted in ``dropped``.
    """

    def __init__(self, *, max_message: int = MAX_MESSAGE) -> None:
        self._max_message = max_message
        self._parts: list[bytes] = []
        self._size = 0
        self.dropped = 0

    def feed(self, data: bytes) -> Iterable[bytes]:
        """Add bytes and return the non-empty lines that they complete."""
        *ended, rest = data.split(b"\n")
        lines = [self._complete(part) for part in ended]
        self._keep(rest)
        return [line for line in lines if line.strip()]

    def finish(self) -> Iterable[bytes]:
        """Return the unterminated rest, at the end of the stream."""
        line = self._complete(b"")
        return [line] if line.strip() else []

    def _keep(self, part: bytes) -> None:
        self._size += len(part)
        if self._size <= self._max_message:
            self._parts.append(part)
        else:
            self._parts.clear()

    def _complete(self, part: bytes) -> bytes:
        self._keep(part)
        whole = b"".join(self._parts)
        self.dropped += self._size > self._max_message
        self._parts, self._size = [], 0
        return whole


def dump(message: JsonObject) -> bytes:
    """Encode a message, without a line end.

    :raises TypeError: when it holds a value that JSON has not.
    :raises ValueError: when it holds ``NaN`` or ``Infinity``, or itself.
    """
    text = json.dumps(message, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")


def _refuse_half_characters(text: bytes | str, value: Any) -> None:
    """Reject unpaired surrogates, which can be neither stored nor forwarded.

    :raises UnicodeEncodeError: when there are any.
    """
    escape, upper = (b"\\ud", b"\\uD") if isinstance(text, bytes) else ("\\ud", "\\uD")
    if escape in text or upper in text:  # type: ignore[operator]
        json.dumps(value, ensure_ascii=False).encode()


def _called(value: JsonObject, method: str) -> Event:
    params = value.get("params", ABSENT)
    if "id" not in value:
        return Notification(method, params)
    if not _is_id(value["id"]):
        return Malformed(f"request id {value['id']!r}, allowed are text and whole numbers")
    return Request(value["id"], method, params=params, trace=value.get("trace"))


def _params(params: Any) -> JsonObject:
    return {} if params is ABSENT else {"params": params}


def _is_id(value: Any) -> bool:
    return type(value) in (str, int)
