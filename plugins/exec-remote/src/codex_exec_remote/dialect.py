"""Write requests and read answers in the dialect that a server speaks, without any I/O (exec-server protocol).

Dialect A is that of March 2026: plain paths, no sessions, complete environments. Dialect B is that of 0.169: file URIs,
sessions that can be resumed, environments made on the server.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Collection, Mapping
from itertools import islice
from typing import Any, Literal, NamedTuple, cast

from codex_exec_remote.intent import sandbox_object
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

Name = Literal["A", "B"]
Numbered = OutputChunk | ProcessExited | ProcessClosed
"""An event with its number on the server."""
_STREAMS = ("stdout", "stderr", "pty")


class Garbled(ValueError):
    """Raised when a server says something that the protocol does not know."""


class Answer(NamedTuple):
    """What ``initialize`` gave.

    :param session: id to resume by, ``None`` in dialect A.
    :param info: what the server told of its machine, or empty.
    """

    session: str | None
    info: JsonObject


class Reading(NamedTuple):
    """What ``process/read`` gave.

    :param events: sorted by their numbers.
    :param gap: output in between is lost for good.
    :param failure: why the server lost the process, or ``None``.
    """

    events: tuple[Numbered, ...]
    gap: bool
    failure: str | None


def read_initialized(result: Any) -> Answer:
    """Read the answer to ``initialize``."""
    if not isinstance(result, dict):
        raise Garbled("the answer to initialize is no object")
    session, info = result.get("sessionId"), result.get("environmentInfo")
    return Answer(
        session if isinstance(session, str) and session else None,
        cast(JsonObject, info) if isinstance(info, dict) else {},
    )


def path_form(dialect: Name, path: str) -> str:
    """Return how a path is written."""
    return uri_of(path) if dialect == "B" else path


def read_path(text: Any) -> str:
    """Read a path."""
    try:
        return path_of(text)
    except (PathError, TypeError, AttributeError) as error:
        raise Garbled(f"no path: {text!r}") from error


def start_params(dialect: Name, params: ExecParams, environ: Mapping[str, str]) -> JsonObject:
    """Return the parameters of ``process/start``.

    :param environ: variables that a complete environment begins with, in dialect A.
    :raises ExecError: when the server can't hold the policy that the process needs.
    """
    held = params.sandbox is not None and params.sandbox.needs_sandbox
    common: JsonObject = {
        "processId": params.process_id,
        "argv": list(params.argv),
        "cwd": path_form(dialect, params.cwd),
        "tty": params.tty,
        "arg0": params.arg0,
    }
    policy = params.env_policy
    if dialect == "A":
        if held:
            raise ExecError("the command was not run: this exec-server can't hold a sandbox policy")
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
        "sandbox": sandbox_object(params),
        "metadata": params.metadata or None,
        "rows": params.rows,
        "columns": params.columns,
    }


def write_params(dialect: Name, process_id: str, data: bytes, write_id: str) -> JsonObject:
    """Return the parameters of ``process/write``."""
    params: JsonObject = {"processId": process_id, "chunk": b64encode(data).decode()}
    if dialect == "B":
        params["writeId"] = write_id
    return params


def read_event(method: str, params: JsonObject) -> Numbered | None:
    """Read a notification about a process; ``None`` when it only says that there is something to read."""
    seq = params.get("seq")
    if type(seq) is not int or seq < 1:
        return None
    if method == "process/closed":
        return ProcessClosed(seq)
    if method == "process/exited":
        return _exited(seq, params)
    chunk = params.get("chunk")
    return None if chunk is None else OutputChunk(seq, _stream(params.get("stream")), data=_bytes(chunk))


def read_reading(result: Any, after: int, known: Collection[int], *, exit_known: bool) -> Reading:
    """Read the answer to ``process/read``, working out the numbers of exit and close, which it does not tell.

    :param after: number that was read after.
    :param known: later numbers whose events have already come.
    :param exit_known: the exit is among what has come.
    """
    if not isinstance(result, dict) or not isinstance(result.get("chunks"), list):
        raise Garbled("the answer to process/read has no chunks")
    found = (read_event("process/output", each) for each in result["chunks"] if isinstance(each, dict))
    events: dict[int, Numbered] = {event.seq: event for event in found if event is not None and event.seq > after}
    following = result.get("nextSeq")
    last = max([after, *events, following - 1 if type(following) is int else 0])
    if result.get("closed") and last > after and last not in events and last not in known:
        events[last] = ProcessClosed(last)
    missing = (seq for seq in range(after + 1, last + 1) if seq not in events and seq not in known)
    lost = list(islice(missing, 2))
    if result.get("exited") and not exit_known and len(lost) == 1:
        seq = lost.pop()
        events[seq] = _exited(seq, result)
    failure = result.get("failure")
    ordered = tuple(event for _, event in sorted(events.items()))
    return Reading(ordered, bool(lost), str(failure) if failure is not None else None)


def _exited(seq: int, params: Mapping[str, Any]) -> ProcessExited:
    code = params.get("exitCode")
    return ProcessExited(seq, code if type(code) is int else -1, sandbox_denied=params.get("sandboxDenied") is True)


def _stream(word: Any) -> Stream:
    return cast(Stream, word) if word in _STREAMS else "stdout"


def _bytes(text: Any) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (ValueError, TypeError) as error:
        raise Garbled(f"no base64: {error}") from error
