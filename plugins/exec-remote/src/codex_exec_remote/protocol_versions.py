"""Encode requests and decode results in the two versions of the exec-server protocol, without I/O.

Version 0.118 has plain paths, no sessions and complete environments of processes. Version 0.169 has file URIs,
resumable sessions, sandboxes, and environments that the server builds from a policy.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Collection, Mapping
from itertools import islice
from typing import Any, Literal, NamedTuple, cast

from codex_exec_remote.sandbox_request import sandbox_request
from codex_hookspecs.environments import (
    ExecParams,
    OutputChunk,
    PathError,
    ProcessClosed,
    ProcessExited,
    Stream,
    apply_policy,
    path_of,
    uri_of,
)
from codex_hookspecs.errors import ExecError
from codex_hookspecs.protocol import JsonObject

ProtocolVersion = Literal["0.118", "0.169"]
SequencedEvent = OutputChunk | ProcessExited | ProcessClosed
"""An event with the server's sequence number."""
_STREAMS = ("stdout", "stderr", "pty")


class ProtocolError(ValueError):
    """Raised when a server sends something that is not valid in the protocol."""


class InitializeResult(NamedTuple):
    """The result of ``initialize``.

    :param session: id of the session, for resuming it; ``None`` in 0.118.
    :param info: the server's facts about its environment, or empty.
    """

    session: str | None
    info: JsonObject


class ProcessRead(NamedTuple):
    """The result of ``process/read``.

    :param events: events in the order of their sequence numbers.
    :param gap: whether output in between is lost, because the server no longer retains it.
    :param failure: why the server lost the process, or ``None``.
    """

    events: tuple[SequencedEvent, ...]
    gap: bool
    failure: str | None


def decode_initialize(result: Any) -> InitializeResult:
    """Decode the result of ``initialize``."""
    if not isinstance(result, dict):
        raise ProtocolError("the result of initialize is not an object")
    session, info = result.get("sessionId"), result.get("environmentInfo")
    return InitializeResult(
        session if isinstance(session, str) and session else None,
        cast(JsonObject, info) if isinstance(info, dict) else {},
    )


def encode_path(protocol_version: ProtocolVersion, path: str) -> str:
    """Encode a path."""
    return uri_of(path) if protocol_version == "0.169" else path


def decode_path(text: Any) -> str:
    """Decode a path."""
    try:
        return path_of(text)
    except (PathError, TypeError, AttributeError) as error:
        raise ProtocolError(f"not a path: {text!r}") from error


def encode_start(protocol_version: ProtocolVersion, params: ExecParams, environ: Mapping[str, str]) -> JsonObject:
    """Build the parameters of ``process/start``.

    :param environ: variables to which the environment policy is applied in 0.118.
    :raises ExecError: when the process needs a sandbox and the server can't enforce one.
    """
    paused = params.sandbox is not None and params.sandbox.needs_sandbox
    common: JsonObject = {
        "processId": params.process_id,
        "argv": list(params.argv),
        "cwd": encode_path(protocol_version, params.cwd),
        "tty": params.tty,
        "arg0": params.arg0,
    }
    policy = params.env_policy
    if protocol_version == "0.118":
        if paused:
            raise ExecError("the command was not run: this exec-server can't enforce a sandbox policy")
        env = params.env if policy is None else {**apply_policy(environ, policy), **params.env}
        return {**common, "env": env, "pipeStdin": params.pipe_stdin}
    wanted = None
    if policy is not None:
        wanted = {
            "inherit": policy.inherit,
            "ignoreDefaultExcludes": policy.ignore_default_excludes,
            "exclude": list(policy.exclude),
            "set": policy.set,
            "includeOnly": list(policy.include_only),
        }
    return {
        **common,
        "env": params.env,
        "envPolicy": wanted,
        "pipeStdin": params.pipe_stdin,
        "sandbox": sandbox_request(params),
        "metadata": params.metadata or None,
        "rows": params.rows,
        "columns": params.columns,
    }


def encode_write(protocol_version: ProtocolVersion, process_id: str, data: bytes, write_id: str) -> JsonObject:
    """Build the parameters of ``process/write``."""
    params: JsonObject = {"processId": process_id, "chunk": b64encode(data).decode()}
    if protocol_version == "0.169":
        params["writeId"] = write_id
    return params


def decode_event(method: str, params: JsonObject) -> SequencedEvent | None:
    """Decode a notification about a process; ``None`` when it only signals that there is output to read."""
    seq = params.get("seq")
    if type(seq) is not int or seq < 1:
        return None
    if method == "process/closed":
        return ProcessClosed(seq)
    if method == "process/exited":
        return _decode_exit(seq, params)
    chunk = params.get("chunk")
    return None if chunk is None else OutputChunk(seq, _stream(params.get("stream")), data=_bytes(chunk))


def decode_read(result: Any, after: int, known: Collection[int], *, exit_known: bool) -> ProcessRead:
    """Decode the result of ``process/read``, inferring the sequence numbers of exit and close, which it lacks.

    :param after: sequence number after which was read.
    :param known: later sequence numbers whose events have arrived already.
    :param exit_known: whether the exit has arrived already.
    """
    if not isinstance(result, dict) or not isinstance(result.get("chunks"), list):
        raise ProtocolError("the result of process/read has no chunks")
    found = (decode_event("process/output", each) for each in result["chunks"] if isinstance(each, dict))
    events: dict[int, SequencedEvent] = {event.seq: event for event in found if event is not None and event.seq > after}
    following = result.get("nextSeq")
    last = max([after, *events, following - 1 if type(following) is int else 0])
    if result.get("closed") and last > after and last not in events and last not in known:
        events[last] = ProcessClosed(last)
    missing = (seq for seq in range(after + 1, last + 1) if seq not in events and seq not in known)
    lost = list(islice(missing, 2))
    if result.get("exited") and not exit_known and len(lost) == 1:
        seq = lost.pop()
        events[seq] = _decode_exit(seq, result)
    failure = result.get("failure")
    ordered = tuple(event for _, event in sorted(events.items()))
    return ProcessRead(ordered, bool(lost), str(failure) if failure is not None else None)


def _decode_exit(seq: int, params: Mapping[str, Any]) -> ProcessExited:
    code = params.get("exitCode")
    return ProcessExited(seq, code if type(code) is int else -1, sandbox_denied=params.get("sandboxDenied") is True)


def _stream(word: Any) -> Stream:
    return cast(Stream, word) if word in _STREAMS else "stdout"


def _bytes(text: Any) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (ValueError, TypeError) as error:
        raise ProtocolError(f"not base64: {error}") from error
