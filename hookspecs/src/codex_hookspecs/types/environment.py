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
    """Facts about a machine.

    :param os: ``linux``, ``macos`` or ``windows``.
    :param shell: absolute path of the user's default shell.
    :param home: absolute path of the user's home.
    :param cwd: absolute directory in which its exec-server was started; threads start where their settings say.
    :param temporary_directory: absolute path for temporary files.
    :param program_directories: directories of this program's code, settings and credentials if it runs on the machine,
        symbolic links resolved.
    :param libraries: those of them from which it imports modules.
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
    """Which environment variables of the machine a process inherits (format of ``envPolicy``); patterns are globs.

    :param inherit: start with all variables, a core set (``HOME``, ``PATH`` …), or none.
    :param ignore_default_excludes: keep variables whose names look like secrets.
    :param exclude: then remove these variables.
    :param set: then set these variables.
    :param include_only: finally, if not empty, remove variables that match none of these.
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
    :param env: the complete environment variables; with ``env_policy``, additions to the variables selected by it.
    :param env_policy: which variables of the machine the process inherits; only for remote environments.
    :param tty: run on a pseudo-terminal of ``rows`` by ``columns``; its output is the stream ``pty``.
    :param pipe_stdin: keep stdin open for writing without a terminal; otherwise it is empty.
    :param rows: height of the terminal, in characters.
    :param columns: width of the terminal, in characters.
    :param arg0: ``argv[0]`` of the program, if different.
    :param stdin: open descriptor for the stdin of a local process; closed by the caller.
    :param descriptors: open descriptors that a local process inherits with the same numbers.
    :param prepare: called in the child between fork and exec, for a local process; see ``Launch.prepare``.
    :param interrupt: interrupts a local process; see ``Launch.interrupt``.
    :param sandbox: policy to be enforced by a remote environment; ``None`` if it is already applied.
    :param sandbox_cwd: absolute workspace of that policy, if it is not the working directory.
    :param additional: permissions beyond that policy.
    :param metadata: further members of the request to a remote environment.
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
    """Output of a process.

    :param seq: sequence number among the process's events, from 1 without gaps.
    :param stream: stream of the output; ``pty`` on a terminal.
    :param data: the bytes.
    """

    seq: int
    stream: Stream
    data: bytes = field(kw_only=True)


@frozen
class ProcessExited:
    """A process exited; output may still follow.

    :param seq: sequence number of the event.
    :param exit_code: exit code; 128 plus the number for a process killed by a signal, 1 on a terminal.
    :param sandbox_denied: whether the sandbox probably caused its failure.
    """

    seq: int
    exit_code: int
    sandbox_denied: bool = field(default=False, kw_only=True)


@frozen
class ProcessClosed:
    """A process exited and all its output was delivered; the last event.

    :param seq: sequence number of the event.
    """

    seq: int


@frozen
class ProcessFailed:
    """The environment lost the process; the last event.

    :param message: the reason, for users.
    """

    message: str


ProcessEvent: TypeAlias = OutputChunk | ProcessExited | ProcessClosed | ProcessFailed


@frozen(kw_only=True)
class ReadResult:
    """Result of ``ExecProcess.read``.

    :param chunks: output, oldest first.
    :param next_seq: continue reading with ``after_seq = next_seq - 1``.
    :param exited: whether the process has exited.
    :param exit_code: its exit code, once it has exited.
    :param closed: whether all output was delivered.
    :param failure: why the environment lost the process, or ``None``.
    :param sandbox_denied: whether the sandbox probably caused its failure.
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
    """Metadata of a file; times are milliseconds since the epoch, 0 if unknown.

    :param is_directory: whether it is a directory, or a symbolic link to one.
    :param is_file: whether it is a regular file, or a symbolic link to one.
    :param is_symlink: whether the path itself is a symbolic link.
    :param size: in bytes.
    :param created_at_ms: time of its creation.
    :param modified_at_ms: time of its last modification.
    """

    is_directory: bool
    is_file: bool
    is_symlink: bool = False
    size: int = 0
    created_at_ms: int = 0
    modified_at_ms: int = 0


@frozen
class DirectoryEntry:
    """One entry of a directory; symbolic links are followed.

    :param file_name: name without the directory.
    :param is_directory: whether it is a directory, or a symbolic link to one.
    :param is_file: whether it is a regular file, or a symbolic link to one.
    """

    file_name: str
    is_directory: bool
    is_file: bool = field(kw_only=True)
