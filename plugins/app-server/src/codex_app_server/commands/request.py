"""Validate the parameters of ``command/exec``, and describe the command that they ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from codex_hookspecs import frozen
from codex_hookspecs.errors import RpcError
from codex_hookspecs.jsonrpc import INVALID_PARAMS

if TYPE_CHECKING:
    from codex_hookspecs.protocol import CommandExecParams, CommandExecTerminalSize

OUTPUT_BYTES: Final = 1024 * 1024
"""Bytes kept or sent of each stream by default."""
TIMEOUT_SECONDS: Final = 10.0
_LONGEST_SECONDS: Final = 366 * 86400.0


@frozen(kw_only=True)
class Limits:
    """How long a command runs, and how much of its output is kept.

    :param seconds: time limit; ``None`` for none.
    :param output_bytes: bytes of each stream; ``None`` for all.
    """

    seconds: float | None
    output_bytes: int | None


@frozen(kw_only=True)
class Streaming:
    """Which streams of a command the client uses while it runs.

    :param tty: whether it runs on a terminal of ``rows`` by ``columns``.
    :param stdin: whether the client writes to it.
    :param output: whether output is sent as it comes; otherwise it is part of the result.
    """

    tty: bool
    rows: int
    columns: int
    stdin: bool
    output: bool


def read_limits(params: CommandExecParams) -> Limits:
    """Return the limits of a command.

    :raises RpcError: when the parameters contradict each other.
    """
    if not params.command:
        raise RpcError("command must not be empty")
    if params.size is not None and not params.tty:
        raise _invalid("command/exec size requires tty: true")
    if params.disable_output_cap and params.output_bytes_cap is not None:
        raise _invalid("command/exec cannot set both outputBytesCap and disableOutputCap")
    if params.disable_timeout and params.timeout_ms is not None:
        raise _invalid("command/exec cannot set both timeoutMs and disableTimeout")
    seconds: float | None = TIMEOUT_SECONDS
    if params.timeout_ms is not None:
        if params.timeout_ms < 0:
            raise _invalid(f"command/exec timeoutMs must be non-negative, got {params.timeout_ms}")
        seconds = min(params.timeout_ms / 1000, _LONGEST_SECONDS)
    elif params.disable_timeout:
        seconds = None
    cap = OUTPUT_BYTES if params.output_bytes_cap is None else params.output_bytes_cap
    return Limits(seconds=seconds, output_bytes=None if params.disable_output_cap else cap)


def read_streaming(params: CommandExecParams) -> Streaming:
    """Return the streams that a client uses; a terminal implies both directions.

    :raises RpcError: when the size is invalid, or the client gave no name to refer to the process.
    """
    rows, columns = (24, 80) if params.size is None else read_size(params.size)
    stdin, output = params.stream_stdin or params.tty, params.stream_stdout_stderr or params.tty
    if (stdin or output) and params.process_id is None:
        raise RpcError("command/exec tty or streaming requires a client-supplied processId")
    return Streaming(tty=params.tty, rows=rows, columns=columns, stdin=stdin, output=output)


def read_size(size: CommandExecTerminalSize) -> tuple[int, int]:
    """Return rows and columns of a terminal.

    :raises RpcError: when one of them is zero.
    """
    if not size.rows or not size.cols:
        raise _invalid("command/exec size rows and cols must be greater than 0")
    return size.rows, size.cols


def _invalid(message: str) -> RpcError:
    return RpcError(message, code=INVALID_PARAMS)
