"""Parse and encode the messages of the exec-server protocol (JSON-RPC without ``jsonrpc``), without I/O."""

from __future__ import annotations

import json
import os
import re
from typing import Any, Final, NamedTuple

from codex_exec_server.base64_text import Base64Error, decode_base64, encode_base64
from codex_hookspecs.environments import OutputChunk, ProcessEvent, ProcessExited
from codex_hookspecs.errors import RpcError
from codex_hookspecs.jsonrpc import RpcId

UNPARSABLE_ID: Final = -1
LONG_BYTES: Final = 16 * 1024
"""Size of a message in bytes from which its base64 is decoded apart from the JSON around it."""
_LONG_MEMBERS: Final = ("chunk", "dataBase64", "bodyBase64")
_PLACEHOLDER: Final = os.urandom(16).hex()
_BEFORE_TEXT: Final = re.compile(rb'[ \t\r\n]*:[ \t\r\n]*"')
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1
_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


class Request(NamedTuple):
    """A request."""

    id: RpcId
    method: str
    params: Any


class Notification(NamedTuple):
    """A notification."""

    method: str


class UnexpectedResponse(NamedTuple):
    """A response, although the server never sends requests."""


class InvalidMessage(NamedTuple):
    """Data that is not a valid message."""

    reason: str


class Encoded(NamedTuple):
    """A result that is encoded as JSON already.

    :param pieces: the consecutive pieces of the JSON text.
    """

    pieces: tuple[bytes, ...]


def parse(data: bytes) -> Request | Notification | UnexpectedResponse | InvalidMessage:
    """Parse an incoming message."""
    try:
        value = _load_long(data) if len(data) > LONG_BYTES else None
        if value is None:
            text = data.decode()
            value = _load(text)
            if "\\" in text and ("\\ud" in text or "\\uD" in text):
                json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        return InvalidMessage("recursion limit exceeded")
    except ValueError as error:
        return InvalidMessage(str(error) if data.strip() else "EOF while parsing a value")
    if type(value) is not dict:
        return InvalidMessage("expected a JSON-RPC object")
    if "method" not in value:
        return _read_response(value)
    method = value["method"]
    if type(method) is not str:
        return InvalidMessage("invalid type of `method`, expected a string")
    if "id" not in value:
        return Notification(method)
    found = value["id"]
    if not _is_id(found):
        return InvalidMessage("data did not match any variant of untagged enum RequestId")
    return Request(found, method, value.get("params"))


def encode_response(request_id: RpcId, result: Any) -> bytes:
    """Encode the response to a request."""
    shown = str(request_id) if type(request_id) is int else _encode(request_id)
    if type(result) is Encoded:
        return b"".join((b'{"id":%b,"result":' % shown.encode(), *result.pieces, b"}"))
    return f'{{"id":{shown},"result":{_encode(result)}}}'.encode()


def encode_error(request_id: RpcId, error: RpcError) -> bytes:
    """Encode an error response to a request."""
    return _encode({"error": {"code": error.code, "message": error.message}, "id": request_id}).encode()


def encode_notification(method: str, params: Any) -> bytes:
    """Encode a notification."""
    return _encode({"method": method, "params": params}).encode()


def encode_process_event(process: str, event: ProcessEvent) -> bytes:
    """Encode the notification of a process event.

    :param process: id of the process, encoded as JSON.
    """
    if type(event) is OutputChunk:
        chunk = encode_base64(event.data)
        head = f'{{"method":"process/output","params":{{"processId":{process},"seq":{event.seq}'
        return b'%b,"stream":"%b","chunk":"%b"}}' % (head.encode(), event.stream.encode(), chunk)
    if type(event) is ProcessExited:
        denied = "true" if event.sandbox_denied else "false"
        return (
            f'{{"method":"process/exited","params":{{"processId":{process},"seq":{event.seq},'
            f'"exitCode":{event.exit_code},"sandboxDenied":{denied}}}}}'
        ).encode()
    return f'{{"method":"process/closed","params":{{"processId":{process},"seq":{event.seq}}}}}'.encode()  # type: ignore[union-attr]


def encode_json(value: Any) -> str:
    """Encode a value as compact JSON."""
    return _encode(value)


def _load(text: str) -> Any:
    """Parse a document, with a fast path for one without surrounding white space."""
    if text.startswith("{"):
        try:
            value, end = _decoder.scan_once(text, 0)
        except StopIteration:
            raise ValueError("expected value") from None
        if end == len(text):
            return value
    return _decoder.decode(text)


def _load_long(data: bytes) -> Any:
    """Parse a document with long base64 in its parameters, and decode that base64.

    In a document without backslashes every quote begins or ends a string, so that the long one can be cut out and
    does not pass through the JSON parser.

    :return: ``None`` when this is not such a document.
    """
    if b"\\" in data:
        return None
    for name in _LONG_MEMBERS:
        place = data.find(b'"%b"' % name.encode())
        before = _BEFORE_TEXT.match(data, place + len(name) + 2) if place >= 0 else None
        start = before.end() if before is not None else -1
        end = data.find(b'"', start)
        if start < 0 or end - start < LONG_BYTES // 2:
            continue
        value = _load(b"".join((data[:start], _PLACEHOLDER.encode(), data[end:])).decode())
        params = value.get("params") if type(value) is dict else None
        if type(params) is not dict or params.get(name) != _PLACEHOLDER:
            return None
        try:
            params[name] = decode_base64(data[start:end])
        except Base64Error:
            return None
        return value
    return None


def _read_response(value: dict[str, Any]) -> UnexpectedResponse | InvalidMessage:
    if "result" not in value and "error" not in value:
        return InvalidMessage("missing field `error`")
    if "id" not in value:
        return InvalidMessage("missing field `id`")
    if not _is_id(value["id"]):
        return InvalidMessage("data did not match any variant of untagged enum RequestId")
    if "result" not in value and not isinstance(value["error"], dict):
        return InvalidMessage("invalid type, expected struct JSONRPCErrorError")
    return UnexpectedResponse()


def _is_id(value: Any) -> bool:
    return type(value) is str or (type(value) is int and _SMALLEST <= value <= _LARGEST)


def _reject_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"duplicate JSON object key `{twice}`")
    return result


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"expected value, found {name}")


_decoder: Any = json.JSONDecoder(object_pairs_hook=_reject_duplicates, parse_constant=_refuse_constant)
