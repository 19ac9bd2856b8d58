"""Execution environments: processes, files, HTTP, facts of a machine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Protocol

from codex_hookspecs.types.environment import (
    DirectoryEntry,
    EnvironmentFacts,
    ExecParams,
    FileMetadata,
    ProcessEvent,
    ReadResult,
    WriteStatus,
)

if TYPE_CHECKING:
    from codex_hookspecs.ports.http import HttpClient
    from codex_hookspecs.ports.threads import AgentThread
    from codex_hookspecs.types.sandbox import SandboxPolicy


class FileScope(Protocol):
    """Which files a sandbox policy allows to be read and written; all paths are absolute, symbolic links resolved."""

    @property
    def policy(self) -> SandboxPolicy:
        """The policy, for environments that enforce it themselves."""
        ...

    @property
    def cwd(self) -> str:
        """Workspace of the policy, as configured (symbolic links not resolved)."""
        ...

    @property
    def readable(self) -> tuple[str, ...] | None:
        """All readable directories; ``None`` if everything is readable."""
        ...

    @property
    def approved(self) -> tuple[str, ...]:
        """Paths whose change was approved beyond the policy."""
        ...

    @property
    def unrestricted(self) -> bool:
        """Whether every file may be read and written."""
        ...

    def approves(self, path: str, *, making: bool = False) -> bool:
        """Return whether changing a path was approved.

        :param making: whether it is a directory to create, or to remove if empty.
        """
        ...

    def may_write(self, path: str) -> bool:
        """Return whether a file may be written or removed."""
        ...

    def may_create(self, path: str) -> bool:
        """Return whether a directory may be created, or removed if empty."""
        ...

    def may_remove(self, path: str) -> bool:
        """Return whether a directory entry may be removed or replaced."""
        ...

    def may_read(self, path: str) -> bool:
        """Return whether a file may be read."""
        ...


class ExecProcess(Protocol):
    """A started process."""

    @property
    def process_id(self) -> str:
        """Id chosen by the caller of ``start``."""
        ...

    async def read(self, after_seq: int = 0, *, max_bytes: int | None = None, wait: float = 0) -> ReadResult:
        """Return retained output newer than a sequence number.

        :param max_bytes: most bytes to return; at least one chunk is returned.
        :param wait: seconds to wait if there is nothing new yet.
        """
        ...

    def events(self) -> AsyncIterator[ProcessEvent]:
        """Iterate over all events in order of ``seq``, ending after :class:`ProcessClosed` or :class:`ProcessFailed`.

        Every iterator gets all events that are still retained. A slow reader blocks the process (backpressure).
        """
        ...

    async def write(self, data: bytes) -> WriteStatus:
        """Write bytes to the process's stdin; waits while the buffer is full."""
        ...

    async def close_stdin(self) -> None:
        """Close the process's stdin, after everything that was written to it; on a terminal, send its end-of-file sign.

        :raises ExecError: when the environment can't.
        """
        ...

    async def interrupt(self) -> None:
        """Interrupt the process group (SIGINT); no effect on an ended process."""
        ...

    async def resize(self, rows: int, columns: int) -> None:
        """Change the window size of a process on a terminal; no effect on others."""
        ...

    async def terminate(self) -> bool:
        """Kill the whole process group at once.

        :return: whether it was running.
        """
        ...


class ExecBackend(Protocol):
    """Starts processes."""

    async def start(self, params: ExecParams) -> ExecProcess:
        """Start a process.

        :raises ExecError: when it can't be started; the id may be used again.
        """
        ...


class OpenFile(Protocol):
    """An open regular file, closed by its opener. Errors are those of :class:`FileSystem`."""

    async def read(self, offset: int, length: int) -> bytes:
        """Return bytes from an offset on; fewer than requested only at the end of the file."""
        ...

    async def write(self, offset: int, data: bytes) -> None:
        """Write bytes at an offset; a gap after the end of the file is filled with zeros."""
        ...

    async def aclose(self) -> None:
        """Close the file; may be called twice."""
        ...


class FileWatch(Protocol):
    """Watches one path, until it is closed by the caller of :meth:`FileSystem.watch`."""

    async def changed(self, *, settle: float = 0) -> frozenset[str]:
        """Wait for changes, and return the absolute paths that changed since the last call.

        A path is the watched one, or a direct child if that is a directory: created, removed, renamed, or changed in
        its content or metadata. Of very many changed children, only the watched path is returned.

        :param settle: seconds to collect further changes after the first.
        """
        ...

    async def aclose(self) -> None:
        """End the watch; may be called twice."""
        ...


class FileSystem(Protocol):
    """Files by absolute path; every error is a ``FileSystemError`` with the operating system's text.

    If the environment can't be reached, it is a :class:`~codex_hookspecs.errors.FilesLost`.
    """

    def within(self, scope: FileScope) -> FileSystem:
        """Return a view of the file system restricted by a sandbox policy.

        Access is checked on the opened file, not on its path, since a running command may replace directories with
        symbolic links.
        """
        ...

    async def read_file(self, path: str, *, limit: int | None = None) -> bytes:
        """Return the content of a regular file, at most its first ``limit`` bytes."""
        ...

    async def write_file(self, path: str, data: bytes) -> None:
        """Write a whole file, creating it if missing; its directory must exist, an existing mode is kept."""
        ...

    async def open(self, path: str, *, replace: bool = False) -> OpenFile:
        """Open a regular file for reading, or with ``replace`` truncated for writing.

        With ``replace`` a missing file is created; its directory must exist. The policy is checked once, here.
        """
        ...

    async def create_directory(self, path: str, *, recursive: bool = True) -> None:
        """Create a directory; with ``recursive`` also its parents, and an existing one is fine."""
        ...

    async def metadata(self, path: str) -> FileMetadata:
        """Return the metadata of a path, following symbolic links; ``is_symlink`` is about the path itself."""
        ...

    async def canonicalize(self, path: str) -> str:
        """Return the path with all symbolic links resolved; it must exist."""
        ...

    async def read_directory(self, path: str) -> Sequence[DirectoryEntry]:
        """Return the entries of a directory, unsorted; dangling symbolic links are left out."""
        ...

    async def remove(self, path: str, *, recursive: bool = True, force: bool = True) -> None:
        """Remove a file, symbolic link or tree; with ``force`` a missing one is no error."""
        ...

    async def copy(self, source: str, destination: str, *, recursive: bool = False) -> None:
        """Copy a file, or with ``recursive`` a tree."""
        ...

    async def watch(self, path: str) -> FileWatch:
        """Watch a path, which need not exist; symbolic links are followed.

        The policy of a restricted view is checked once, here. An environment that can't watch raises an error.
        """
        ...


class Environment(Protocol):
    """An execution environment, local or remote."""

    @property
    def id(self) -> str:
        """Name of the environment, e.g. ``local``."""
        ...

    @property
    def remote(self) -> bool:
        """Whether it is remote; a remote environment enforces sandbox policies itself."""
        ...

    @property
    def exec(self) -> ExecBackend:
        """The exec backend of the environment."""
        ...

    @property
    def files(self) -> FileSystem:
        """The file system of the environment."""
        ...

    @property
    def http(self) -> HttpClient:
        """The HTTP client of the environment."""
        ...

    async def facts(self) -> EnvironmentFacts:
        """Return facts about the machine, which are cached."""
        ...

    async def aclose(self) -> None:
        """End all its processes and connections; may be called twice."""
        ...


class EnvironmentProvider(Protocol):
    """Creates one environment; offered through the hook ``environments``."""

    @property
    def id(self) -> str:
        """Name in the configuration and in threads."""
        ...

    @property
    def default(self) -> bool:
        """Whether it is the default for threads; a remote default takes precedence over the local one."""
        ...

    @property
    def remote(self) -> bool:
        """Whether it is remote, with paths of its own; false if not defined."""
        ...

    async def open(self) -> Environment:
        """Return the environment, connected.

        :raises ExecError: when it can't be reached.
        """
        ...


class EnvironmentManager(Protocol):
    """All environments of the program; each is opened on first use, shared, and closed with the program."""

    async def get(self, environment_id: str | None = None) -> Environment:
        """Return an environment, opening it on first use.

        :param environment_id: its name; ``None`` for the default.
        :raises ExecError: when there is no such environment.
        :raises EnvironmentLost: when it can't be reached.
        """
        ...

    def name_of(self, environment_id: str | None = None) -> str | None:
        """Return the name of an environment without opening it; ``None`` if there is no environment at all.

        :param environment_id: its name; ``None`` for the default.
        :raises ConfigError: when there is no such environment.
        """
        ...

    def is_remote(self, environment_id: str | None = None) -> bool:
        """Return whether an environment is remote, without opening it.

        :param environment_id: its name; ``None`` for the default.
        """
        ...

    async def of(self, thread: AgentThread) -> Environment:
        """Return the environment of a thread, as set by ``environment`` in its configuration.

        :raises ExecError: as ``get`` does.
        """
        ...
