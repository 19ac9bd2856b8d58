"""Processes and files of an environment, as the exec-server protocol names them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, TypeAlias

from attrs import field

from codex_hookspecs.types._checking import Checked
from codex_hookspecs.types.json import JsonObject
from codex_hookspecs.types.sandbox import SandboxPolicy
from codex_hookspecs.values import frozen

if TYPE_CHECKING:
    from codex_hookspecs.types.grants import AdditionalPermissions

Stream = Literal["stdout", "stderr", "pty"]
WriteStatus = Literal["accepted", "unknownProcess", "stdinClosed", "starting"]


@frozen(kw_only=True)
class EnvironmentFacts(Checked):
    """What is known of a machine.

    :param os: ``linux``, ``macos`` or ``windows``.
    :param shell: absolute path of the user's default shell.
    :param home: absolute path of the user's home.
    :param cwd: absolute path that its exec-server was started in; threads begin where their settings say.
    :param temporary_directory: absolute path for temporary files.
    :param program_directories: where this program comes from and keeps its settings and credentials, if it runs there,
        links resolved.
    :param libraries: those of them that it imports modules from.
    """

    os: str
    shell: str
    home: str
    cwd: str
    temporary_directory: str = "/tmp"  # noqa: S108
    program_directories: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()


@frozen(kw_only=True)
class EnvironPolicy:
    """Which of its own variables a machine gives to a process (format of ``envPolicy``); patterns are globs.

    :param inherit: begin with all variables, with a core (``HOME``, ``PATH`` …), or with none.
    :param ignore_default_excludes: keep what looks like a secret by its name.
    :param exclude: variables that are left out then.
    :param set: variables that are added then.
    :param include_only: when not empty, variables that match none of these are left out last.
    """

    inherit: Literal["all", "core", "none"] = "all"
    ignore_default_excludes: bool = True
    exclude: tuple[str, ...] = ()
    set: dict[str, str] = field(factory=dict)
    include_only: tuple[str, ...] = ()


@frozen(kw_only=True)
class ExecParams:
    """A process to start.

    :param process_id: chosen by the caller, unique among the environment's live processes; not a pid.
    :param argv: program and arguments; a program without a slash is looked up in the ``PATH`` of ``env``.
    :param cwd: absolute working directory.
    :param env: the exact environment; with ``env_policy`` what is laid over the variables that the policy lets through.
    :param env_policy: which variables of the machine the process gets; only remote environments are given one.
    :param tty: run on a pseudo-terminal of ``rows`` by ``columns``; its output is the stream ``pty``.
    :param pipe_stdin: keep stdin writable without a terminal; otherwise it reads as empty.
    :param rows: height of the terminal, in characters.
    :param columns: width of the terminal, in characters.
    :param arg0: what the program sees as its name.
    :param stdin: open descriptor of this program that a local process reads instead; the caller closes it afterwards.
    :param descriptors: open descriptors of this program that a local process inherits under the same numbers.
    :param prepare: called in a local process before it becomes the program; see ``Launch.prepare``.
    :param interrupt: how a local process is interrupted; see ``Launch.interrupt``.
    :param sandbox: policy that an environment with its own launcher must hold; already applied when ``None``.
    :param sandbox_cwd: absolute workspace of that policy, when it is not the working directory.
    :param additional: what it may do beyond that policy.
    :param metadata: further members for a remote environment, kept as they are.
    """

    process_id: str
    argv: tuple[str, ...]
    cwd: str
    env: dict[str, str]
    env_policy: EnvironPolicy | None = None
    tty: bool = False
    pipe_stdin: bool = False
    rows: int = 24
    columns: int = 80
    arg0: str | None = None
    stdin: int | None = None
    descriptors: tuple[int, ...] = ()
    prepare: Callable[[], None] | None = None
    interrupt: Callable[[], bool] | None = None
    sandbox: SandboxPolicy | None = None
    sandbox_cwd: str | None = None
    additional: AdditionalPermissions | None = None
    metadata: JsonObject = field(factory=dict)


@frozen
class OutputChunk:
    """Bytes that a process wrote.

    :param seq: number in the process's one sequence of events, from 1 without gaps.
    :param stream: where it was written to; ``pty`` on a terminal.
    :param data: the bytes as they were written.
    """

    seq: int
    stream: Stream
    data: bytes = field(kw_only=True)


@frozen
class ProcessExited:
    """A process ended; output may still follow.

    :param seq: number of the event.
    :param exit_code: status; of a process that a signal ended 128 and its number, on a terminal 1.
    :param sandbox_denied: the sandbox seems to have kept it from its work.
    """

    seq: int
    exit_code: int
    sandbox_denied: bool = field(default=False, kw_only=True)


@frozen
class ProcessClosed:
    """A process ended and all its output was given; the last event.

    :param seq: number of the event.
    """

    seq: int


@frozen
class ProcessFailed:
    """The environment lost the process; the last event.

    :param message: why, in words for people.
    """

    message: str


ProcessEvent: TypeAlias = OutputChunk | ProcessExited | ProcessClosed | ProcessFailed


@frozen(kw_only=True)
class ReadResult:
    """What ``ExecProcess.read`` gives.

    :param chunks: output, oldest first.
    :param next_seq: read on with ``after_seq = next_seq - 1``.
    :param exited: the process has ended.
    :param exit_code: its status, once it has.
    :param closed: nothing follows any more.
    :param failure: why the environment lost the process, or ``None``.
    :param sandbox_denied: the sandbox seems to have kept it from its work.
    """

    chunks: tuple[OutputChunk, ...]
    next_seq: int
    exited: bool
    exit_code: int | None
    closed: bool
    failure: str | None = None
    sandbox_denied: bool = False


@frozen(kw_only=True)
class FileMetadata:
    """What is known of a file; times are milliseconds since the epoch, 0 when unknown.

    :param is_directory: it is a directory, or a link to one.
    :param is_file: it is a regular file, or a link to one.
    :param is_symlink: the path itself is a link.
    :param size: in bytes.
    :param created_at_ms: when it was made.
    :param modified_at_ms: when its content changed.
    """

    is_directory: bool
    is_file: bool
    is_symlink: bool = False
    size: int = 0
    created_at_ms: int = 0
    modified_at_ms: int = 0


@frozen
class DirectoryEntry:
    """One name in a directory; links are followed.

    :param file_name: name without the directory.
    :param is_directory: it is a directory, or a link to one.
    :param is_file: it is a regular file, or a link to one.
    """

    file_name: str
    is_directory: bool
    is_file: bool = field(kw_only=True)
