"""Messages between a runner and its parent (protocol version 1 of Codex's command runner)."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any, Literal, TypeAlias

from attrs import field

from codex_hookspecs import frozen
from codex_hookspecs.protocol import JsonObject

VERSION = 1
Stream = Literal["stdout", "stderr"]
_MAX_I16, _MAX_U32, _MAX_U64 = 2**15 - 1, 2**32 - 1, 2**64 - 1
"""Upper limits of numbers; the lower limit is always 0. The size of a console is signed 16-bit."""


class MessageError(Exception):
    """Raised when a frame is not a valid message."""


@frozen(kw_only=True)
class SpawnRequest:
    """Start a command; the first message, sent once.

    :param policy: the sandbox policy as JSON, or the name of one.
    :param cap_sids: capability SIDs of the restricted token; at least one.
    :param timeout_ms: when the command is killed, or ``None``.
    :param tty: give it a pseudo console.
    :param stdin_open: keep its standard input open.
    """

    command: tuple[str, ...]
    cwd: str
    env: dict[str, str]
    policy: str = field(metadata={"wire": "policy_json_or_preset"})
    sandbox_policy_cwd: str
    codex_home: str
    real_codex_home: str
    cap_sids: tuple[str, ...]
    timeout_ms: int | None = field(default=None, metadata={"most": _MAX_U64})
    tty: bool = False
    real_user_sid: str | None = None
    stdin_open: bool = False
    use_private_desktop: bool = False


@frozen
class SpawnReady:
    """The command was started."""

    process_id: int = field(metadata={"most": _MAX_U32})


@frozen
class Output:
    """The command wrote something."""

    data: bytes
    stream: Stream


@frozen
class Stdin:
    """Write to the command's stdin."""

    data: bytes


@frozen
class CloseStdin:
    """Close the command's stdin."""


@frozen
class Resize:
    """Change the size of the pseudo console."""

    rows: int = field(metadata={"most": _MAX_I16})
    columns: int = field(metadata={"wire": "cols", "most": _MAX_I16})


@frozen
class Terminate:
    """Kill the command."""


@frozen
class Exit:
    """The command ended; the last message."""

    exit_code: int
    timed_out: bool = False


@frozen
class Failure:
    """The runner could not do what was asked.

    :param code: ``spawn_failed``.
    """

    message: str
    code: str


Message: TypeAlias = (
    SpawnRequest | SpawnReady | Output | Stdin | CloseStdin | Resize | Terminate | Exit | Failure
)  # fmt: skip

_TYPES: dict[str, type[Any]] = {
    "spawn_request": SpawnRequest,
    "spawn_ready": SpawnReady,
    "output": Output,
    "stdin": Stdin,
    "close_stdin": CloseStdin,
    "resize": Resize,
    "terminate": Terminate,
    "exit": Exit,
    "error": Failure,
}
_TAGS = {kind: tag for tag, kind in _TYPES.items()}


def encode_message(message: Message) -> bytes:
    """Return a message as JSON."""
    payload: JsonObject = {}
    for attribute in type(message).__attrs_attrs__:
        value = getattr(message, attribute.name)
        if isinstance(value, bytes):
            payload["data_b64"] = base64.b64encode(value).decode("ascii")
        else:
            payload[attribute.metadata.get("wire", attribute.name)] = list(value) if isinstance(value, tuple) else value
    document = {"version": VERSION, "type": _TAGS[type(message)], "payload": payload}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def decode_message(data: bytes) -> Message | None:
    """Parse a message.

    :return: ``None`` for a message of an unknown type.
    :raises MessageError: when it is invalid.
    """
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise MessageError(f"a message is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise MessageError("a message is not an object")
    if document.get("version") != VERSION:
        raise MessageError(f"unsupported protocol version {document.get('version')!r}, expected {VERSION}")
    tag, payload = document.get("type"), document.get("payload", {})
    if not isinstance(tag, str) or not isinstance(payload, dict):
        raise MessageError("a message needs a type and a payload")
    kind = _TYPES.get(tag)
    return None if kind is None else _from_payload(kind, tag, payload)


def _from_payload(kind: type[Any], tag: str, payload: JsonObject) -> Message:
    values: dict[str, Any] = {}
    for attribute in kind.__attrs_attrs__:
        name = "data_b64" if attribute.name == "data" else attribute.metadata.get("wire", attribute.name)
        if name in payload:
            value = values[attribute.name] = _value(payload[name], str(attribute.type), f"{name} of {tag}")
            most = attribute.metadata.get("most")
            if most is not None and value is not None and not 0 <= value <= most:
                raise MessageError(f"{name} of {tag} is {value}, allowed are 0 to {most}")
    try:
        message: Message = kind(**values)
    except TypeError:
        raise MessageError(f"{tag} lacks a member") from None
    if isinstance(message, SpawnRequest):
        if not message.command:
            raise MessageError("spawn_request has an empty command")
        if not message.cap_sids:
            raise MessageError("spawn_request has no cap_sids")
    return message


def _value(value: Any, expected: str, what: str) -> Any:
    if expected == "bytes":
        try:
            return base64.b64decode(value, validate=True)
        except (TypeError, ValueError, binascii.Error):
            raise MessageError(f"{what} is not base64") from None
    if expected == "tuple[str, ...]" and isinstance(value, list) and all(isinstance(each, str) for each in value):
        return tuple(value)
    if expected == "dict[str, str]" and isinstance(value, dict) and all(isinstance(v, str) for v in value.values()):
        return value
    if value is None and expected.endswith("| None"):
        return None
    scalar: type | None = {"str": str, "int": int, "bool": bool, "Stream": str}.get(expected.removesuffix(" | None"))
    if scalar is None or type(value) is not scalar:
        raise MessageError(f"{what} is {value!r}, expected {expected}")
    if expected == "Stream" and value not in ("stdout", "stderr"):
        raise MessageError(f"{what} is {value!r}, expected stdout or stderr")
    return value
