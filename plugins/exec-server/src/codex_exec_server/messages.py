"""Tell what an incoming message is and write outgoing ones, without any I/O (envelope of the exec-server protocol)."""

from __future__ import annotations

import json
from binascii import b2a_base64
from typing import Any, Final, NamedTuple

from codex_hookspecs.errors import RpcError
from codex_hookspecs.rpc import RpcId
from codex_hookspecs.types.environment import OutputChunk, ProcessEvent, ProcessExited

UNPARSABLE_ID: Final = -1
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


def parse(data: bytes) -> Call | Tell | Foreign | Fault:
    """Return what a message is."""
    try:
        text = data.decode()
        value = _load(text)
        if "\\ud" in text or "\\uD" in text:
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
        chunk = b2a_base64(event.data, newline=False)
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
