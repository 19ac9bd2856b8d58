"""Turn the arguments of the two tools into values, with their defaults and bounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from codex_hookspecs.errors import ToolError
from codex_hookspecs.protocol import JsonObject
from codex_tool_exec.answers import DEFAULT_TOKENS
from codex_tool_exec.arguments import flag, permission, permissions, read_arguments, text, texts, whole

LEAST_WAIT_MS, MOST_WAIT_MS = 250, 30_000
LEAST_POLL_MS, MOST_POLL_MS = 5_000, 300_000
_COUNT = whole("usize")
_MILLISECONDS = whole("u64")

_EXEC_FIELDS = {
    "cmd": text,
    "workdir": text,
    "shell": text,
    "login": flag,
    "tty": flag,
    "yield_time_ms": _MILLISECONDS,
    "max_output_tokens": _COUNT,
    "sandbox_permissions": permission,
    "additional_permissions": permissions,
    "justification": text,
    "prefix_rule": texts,
}
_PERMISSIONS_FIELDS = {"permissions": permissions, "reason": text}
_WRITE_FIELDS = {
    "session_id": whole("i32", -(2**31), 2**31 - 1),
    "chars": text,
    "yield_time_ms": _MILLISECONDS,
    "max_output_tokens": _COUNT,
}


class ExecCall(NamedTuple):
    """A call of ``exec_command``, times already within bounds."""

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
        """Whether the command shall run without sandbox."""
        return self.permissions == "require_escalated"


class WriteCall(NamedTuple):
    """A call of ``write_stdin``, times already within bounds."""

    session_id: int
    chars: str
    yield_time_ms: int
    max_output_tokens: int


def read_exec_call(arguments: str, config: Mapping[str, Any]) -> ExecCall:
    """Return a call of ``exec_command``.

    :param config: with ``allow_login_shell = false`` no call gets a login shell.
    :raises ToolError: when the arguments do not fit.
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
        yield_time_ms=_clamp(found.get("yield_time_ms", 10_000), LEAST_WAIT_MS, MOST_WAIT_MS),
        max_output_tokens=int(found.get("max_output_tokens", DEFAULT_TOKENS)),
        permissions=found.get("sandbox_permissions", "use_default"),
        additional=found.get("additional_permissions"),
        justification=found.get("justification"),
        prefix_rule=tuple(rule) if rule else None,
    )


def read_write_call(arguments: str, config: Mapping[str, Any]) -> WriteCall:
    """Return a call of ``write_stdin``.

    :param config: ``background_terminal_max_timeout`` bounds how long a call that writes nothing may wait.
    :raises ToolError: when the arguments do not fit.
    """
    found = read_arguments(arguments, _WRITE_FIELDS, required="session_id")
    chars = found.get("chars", "")
    wait = found.get("yield_time_ms", LEAST_WAIT_MS)
    if chars:
        wait = _clamp(wait, LEAST_WAIT_MS, MOST_WAIT_MS)
    else:
        most = config.get("background_terminal_max_timeout")
        wait = _clamp(wait, LEAST_POLL_MS, max(most, LEAST_POLL_MS) if isinstance(most, int) else MOST_POLL_MS)
    return WriteCall(
        session_id=int(found["session_id"]),
        chars=chars,
        yield_time_ms=wait,
        max_output_tokens=int(found.get("max_output_tokens", DEFAULT_TOKENS)),
    )


def read_permissions_call(arguments: str) -> tuple[JsonObject, str | None]:
    """Return what a call of ``request_permissions`` asks for, and why.

    :raises ToolError: when the arguments do not fit.
    """
    found = read_arguments(arguments, _PERMISSIONS_FIELDS, required="permissions")
    return found["permissions"], found.get("reason")


def _clamp(value: float, low: int, high: int) -> int:
    return int(min(max(value, low), high))
