"""Tell what an incoming message is and write outgoing ones, without any I/O (envelope of the exec-server protocol)."""

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
LONG: Final = 16 * 1024
"""Bytes from which base64 in a message is not looked at as JSON."""
_LONG_MEMBERS: Final = ("chunk", "dataBase64", "bodyBase64")
_IN_PLACE_OF_LONG: Final = os.urandom(16).hex()
_BEFORE_TEXT: Final = re.compile(rb'[ \t\r\n]*:[ \t\r\n]*"')
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1
_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


class Call(NamedTuple):
    """A request."""

    id: RpcId
    method: str
    params: Any


class Tell(NamedTuple):
    """A notification."""

    method: str


class Foreign(NamedTuple):
    """An answer, which a server never asked for."""


class Fault(NamedTuple):
    """Something that is no message."""

    reason: str


class Encoded(NamedTuple):
    """A result that is JSON already.

    :param pieces: its bytes one after the other.
    """

    pieces: tuple[bytes, ...]


def parse(data: bytes) -> Call | Tell | Foreign | Fault:
    """Return what a message is."""
    try:
        value = _load_long(data) if len(data) > LONG else None
        if value is None:
            text = data.decode()
            value = _load(text)
            if "\\" in text and ("\\ud" in text or "\\uD" in text):
                json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        return Fault("recursion limit exceeded")
    except ValueError as error:
        return Fault(str(error) if data.strip() else "EOF while parsing a value")
    if type(value) is not dict:
        return Fault("expected a JSON-RPC object")
    if "method" not in value:
        return _answer(value)
    method = value["method"]
    if type(method) is not str:
        return Fault("invalid type of `method`, expected a string")
    if "id" not in value:
        return Tell(method)
    found = value["id"]
    if not _is_id(found):
        return Fault("data did not match any variant of untagged enum RequestId")
    return Call(found, method, value.get("params"))


def answer(request_id: RpcId, result: Any) -> bytes:
    """Return the answer to a request."""
    shown = str(request_id) if type(request_id) is int else _encode(request_id)
    if type(result) is Encoded:
        return b"".join((b'{"id":%b,"result":' % shown.encode(), *result.pieces, b"}"))
    return f'{{"id":{shown},"result":{_encode(result)}}}'.encode()


def refusal(request_id: RpcId, error: RpcError) -> bytes:
    """Return the answer to a request that was refused."""
    return _encode({"error": {"code": error.code, "message": error.message}, "id": request_id}).encode()


def notification(method: str, params: Any) -> bytes:
    """Return a notification."""
    return _encode({"method": method, "params": params}).encode()


def process_event(process: str, event: ProcessEvent) -> bytes:
    """Return the notification of an event.

    :param process: id of the process as JSON.
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


def encode(value: Any) -> str:
    """Return a value as JSON."""
    return _encode(value)


def _load(text: str) -> Any:
    """Decode a document; one without anything around it, as nearly all are, at less cost."""
    if text.startswith("{"):
        try:
            value, end = _decoder.scan_once(text, 0)
        except StopIteration:
            raise ValueError("expected value") from None
        if end == len(text):
            return value
    return _decoder.decode(text)


def _load_long(data: bytes) -> Any:
    """Decode a document with long base64 in its parameters, which is decoded, too.

    Without a backslash anywhere each quote begins or ends a text, so that long ones can be skipped.

    :return: ``None`` when it is not such a document.
    """
    if b"\\" in data:
        return None
    for name in _LONG_MEMBERS:
        place = data.find(b'"%b"' % name.encode())
        before = _BEFORE_TEXT.match(data, place + len(name) + 2) if place >= 0 else None
        start = before.end() if before is not None else -1
        end = data.find(b'"', start)
        if start < 0 or end - start < LONG // 2:
            continue
        value = _load(b"".join((data[:start], _IN_PLACE_OF_LONG.encode(), data[end:])).decode())
        params = value.get("params") if type(value) is dict else None
        if type(params) is not dict or params.get(name) != _IN_PLACE_OF_LONG:
            return None
        try:
            params[name] = decode_base64(data[start:end])
        except Base64Error:
            return None
        return value
    return None


def _answer(value: dict[str, Any]) -> Foreign | Fault:
    if "result" not in value and "error" not in value:
        return Fault("missing field `error`")
    if "id" not in value:
        return Fault("missing field `id`")
    if not _is_id(value["id"]):
        return Fault("data did not match any variant of untagged enum RequestId")
    if "result" not in value and not isinstance(value["error"], dict):
        return Fault("invalid type, expected struct JSONRPCErrorError")
    return Foreign()


def _is_id(value: Any) -> bool:
    return type(value) is str or (type(value) is int and _SMALLEST <= value <= _LARGEST)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"duplicate JSON object key `{twice}`")
    return result


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"expected value, found {name}")


_decoder: Any = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse_constant)
