"""Commands that clients run (app-server protocol v2, 0.118)."""

from __future__ import annotations

from typing import ClassVar, Literal

from codex_hookspecs.types.json import SandboxPolicyObject, Signed32, Size, Unsigned16
from codex_hookspecs.types.notifications import Notification
from codex_hookspecs.values import frozen


@frozen(kw_only=True)
class CommandExecTerminalSize:
    """Size of a terminal.

    :param cols: characters.
    :param rows: characters.
    """

    cols: Unsigned16
    rows: Unsigned16


@frozen(kw_only=True)
class CommandExecParams:
    """Parameters of ``command/exec``.

    :param command: program and arguments.
    :param env: changes of the environment; ``None`` removes a variable.
    :param output_bytes_cap: maximum number of bytes kept of each stream.
    :param process_id: name for the process, needed for a terminal or streams.
    :param sandbox_policy: ``None`` for that of the configuration.
    :param timeout_ms: maximum run time in milliseconds.
    """

    command: list[str]
    cwd: str | None = None
    disable_output_cap: bool = False
    disable_timeout: bool = False
    env: dict[str, str | None] | None = None
    output_bytes_cap: Size | None = None
    process_id: str | None = None
    sandbox_policy: SandboxPolicyObject | None = None
    size: CommandExecTerminalSize | None = None
    stream_stdin: bool = False
    stream_stdout_stderr: bool = False
    timeout_ms: int | None = None
    tty: bool = False


@frozen(kw_only=True)
class CommandExecWriteParams:
    """Parameters of ``command/exec/write``.

    :param delta_base64: bytes, in base64.
    :param process_id: name that the client gave to the process.
    """

    process_id: str
    close_stdin: bool = False
    delta_base64: str | None = None


@frozen
class CommandExecTerminateParams:
    """Parameters of ``command/exec/terminate``.

    :param process_id: name that the client gave to the process.
    """

    process_id: str


@frozen(kw_only=True)
class CommandExecResizeParams:
    """Parameters of ``command/exec/resize``.

    :param process_id: name that the client gave to the process.
    """

    process_id: str
    size: CommandExecTerminalSize


@frozen(kw_only=True)
class CommandExecResponse:
    """Result of ``command/exec``.

    :param exit_code: exit status of the process; 124 if it ran out of time.
    :param stderr: text of the standard error; empty if it was streamed.
    :param stdout: text of the standard output; empty if it was streamed.
    """

    exit_code: Signed32
    stderr: str
    stdout: str


@frozen
class CommandExecWriteResponse:
    """Result of ``command/exec/write``."""


@frozen
class CommandExecTerminateResponse:
    """Result of ``command/exec/terminate``."""


@frozen
class CommandExecResizeResponse:
    """Result of ``command/exec/resize``."""


CommandExecOutputStream = Literal["stdout", "stderr"]
"""A stream of a command."""


@frozen(kw_only=True)
class CommandExecOutputDeltaNotification(Notification):
    """More output of a command that a client runs.

    :param cap_reached: whether output beyond the maximum was dropped; the stream sends no more.
    :param delta_base64: bytes, in base64.
    :param process_id: name that the client gave to the process.
    """

    METHOD: ClassVar[str] = "command/exec/outputDelta"
    cap_reached: bool
    delta_base64: str
    process_id: str
    stream: CommandExecOutputStream
