"""Decode the arguments of the tools, with their defaults and limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from codex_hookspecs.errors import ToolError
from codex_hookspecs.protocol import JsonObject
from codex_tool_exec.argument_reader import (
    boolean,
    integer,
    permissions,
    read_arguments,
    sandbox_permission,
    string,
    strings,
)
from codex_tool_exec.model_output import DEFAULT_TOKENS

MIN_WAIT_MS, MAX_WAIT_MS = 250, 30_000
MIN_POLL_MS, MAX_POLL_MS = 5_000, 300_000
_COUNT = integer("usize")
_MILLISECONDS = integer("u64")

_EXEC_FIELDS = {
    "cmd": string,
    "workdir": string,
    "shell": string,
    "login": boolean,
    "tty": boolean,
    "yield_time_ms": _MILLISECONDS,
    "max_output_tokens": _COUNT,
    "sandbox_permissions": sandbox_permission,
    "additional_permissions": permissions,
    "justification": string,
    "prefix_rule": strings,
}
_PERMISSIONS_FIELDS = {"permissions": permissions, "reason": string}
_WRITE_FIELDS = {
    "session_id": integer("i32", -(2**31), 2**31 - 1),
    "chars": string,
    "yield_time_ms": _MILLISECONDS,
    "max_output_tokens": _COUNT,
}


class ExecCall(NamedTuple):
    """The arguments of ``exec_command``, with times within their limits."""

    cmd: str
    workdir: str | None
    shell: str | None
    login: bool
    tty: bool
    yield_time_ms: int
    max_output_tokens: int
    permissions: str
    additional: JsonObject | None
    justification: str | None
    prefix_rule: tuple[str, ...] | None

    @property
    def escalated(self) -> bool:
        """Whether the command is to run without a sandbox."""
        return self.permissions == "require_escalated"


class WriteCall(NamedTuple):
    """The arguments of ``write_stdin``, with times within their limits."""

    session_id: int
    chars: str
    yield_time_ms: int
    max_output_tokens: int


def read_exec_call(arguments: str, config: Mapping[str, Any]) -> ExecCall:
    """Decode the arguments of ``exec_command``.

    :param config: the thread's configuration; ``allow_login_shell = false`` disables login shells.
    :raises ToolError: when the arguments are invalid.
    """
    found = read_arguments(arguments, _EXEC_FIELDS, required="cmd")
    rule = found.get("prefix_rule")
    allowed = config.get("allow_login_shell") is not False
    if found.get("login") and not allowed:
        raise ToolError("login shell is disabled by config; omit `login` or set it to false.")
    return ExecCall(
        cmd=found["cmd"],
        workdir=found.get("workdir") or None,
        shell=found.get("shell") or None,
        login=found.get("login", allowed),
        tty=found.get("tty", False),
        yield_time_ms=_clamp(found.get("yield_time_ms", 10_000), MIN_WAIT_MS, MAX_WAIT_MS),
        max_output_tokens=int(found.get("max_output_tokens", DEFAULT_TOKENS)),
        permissions=found.get("sandbox_permissions", "use_default"),
        additional=found.get("additional_permissions"),
        justification=found.get("justification"),
        prefix_rule=tuple(rule) if rule else None,
    )


def read_write_call(arguments: str, config: Mapping[str, Any]) -> WriteCall:
    """Decode the arguments of ``write_stdin``.

    :param config: the thread's configuration; ``background_terminal_max_timeout`` limits the wait of an empty write.
    :raises ToolError: when the arguments are invalid.
    """
    found = read_arguments(arguments, _WRITE_FIELDS, required="session_id")
    chars = found.get("chars", "")
    wait = found.get("yield_time_ms", MIN_WAIT_MS)
    if chars:
        wait = _clamp(wait, MIN_WAIT_MS, MAX_WAIT_MS)
    else:
        most = config.get("background_terminal_max_timeout")
        wait = _clamp(wait, MIN_POLL_MS, max(most, MIN_POLL_MS) if isinstance(most, int) else MAX_POLL_MS)
    return WriteCall(
        session_id=int(found["session_id"]),
        chars=chars,
        yield_time_ms=wait,
        max_output_tokens=int(found.get("max_output_tokens", DEFAULT_TOKENS)),
    )


def read_permissions_call(arguments: str) -> tuple[JsonObject, str | None]:
    """Decode the arguments of ``request_permissions``: permissions and reason.

    :raises ToolError: when the arguments are invalid.
    """
    found = read_arguments(arguments, _PERMISSIONS_FIELDS, required="permissions")
    return found["permissions"], found.get("reason")


def _clamp(value: float, low: int, high: int) -> int:
    return int(min(max(value, low), high))
