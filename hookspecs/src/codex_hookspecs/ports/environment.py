"""What a machine that agents work on provides: processes, files, HTTP, facts."""

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
    """Which files a sandbox policy lets be read and written; all paths are absolute, their links resolved."""

    @property
    def policy(self) -> SandboxPolicy:
        """The policy, for machines that enforce it themselves."""
        ...

    @property
    def cwd(self) -> str:
        """Workspace of the policy, as it is spelled."""
        ...

    @property
    def readable(self) -> tuple[str, ...] | None:
        """All directories that can be read; ``None`` when everything can."""
        ...

    @property
    def approved(self) -> tuple[str, ...]:
        """Paths that a person has let be changed beyond the policy."""
        ...

    @property
    def unrestricted(self) -> bool:
        """Whether every file can be read and written."""
        ...

    def approves(self, path: str, *, making: bool = False) -> bool:
        """Tell whether a person has let a path be changed.

        :param making: it is a directory that is made, or removed when it is empty.
        """
        ...

    def may_write(self, path: str) -> bool:
        """Tell whether a file may be written or removed."""
        ...

    def may_make(self, path: str) -> bool:
        """Tell whether a directory may be made, or removed when it is empty."""
        ...

    def may_remove(self, path: str) -> bool:
        """Tell whether what is at a path may be removed, or another file put in its place: its directory changes."""
        ...

    def may_read(self, path: str) -> bool:
        """Tell whether a file may be read."""
        ...


class ExecProcess(Protocol):
    """A process that was started; it belongs to whoever started it until it is closed or terminated."""

    @property
    def process_id(self) -> str:
        """Id chosen at the start."""
        ...

    async def read(self, after_seq: int = 0, *, max_bytes: int | None = None, wait: float = 0) -> ReadResult:
        """Return retained output newer than a sequence number.

        :param max_bytes: bound on the decoded bytes; one chunk is always given.
        :param wait: seconds to wait when there is nothing new yet.
        """
        ...

    def events(self) -> AsyncIterator[ProcessEvent]:
        """Iterate the events from the first one on, in order of ``seq``, ending after the closing or failing one.

        Every iterator gets every event that is still retained; a slow reader holds up the process, not the memory.
        """
        ...

    async def write(self, data: bytes) -> WriteStatus:
        """Queue bytes for the process's stdin; waits while the queue is full."""
        ...

    async def interrupt(self) -> None:
        """Interrupt the process group (SIGINT); without effect on a process that ended."""
        ...

    async def resize(self, rows: int, columns: int) -> None:
        """Change the window size of a process on a terminal; without effect on others."""
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

        :raises ExecError: when it can't be started; the id is free again.
        """
        ...


class OpenFile(Protocol):
    """A regular file that is kept open; who opened it closes it. Failures are those of :class:`FileSystem`."""

    async def read(self, offset: int, length: int) -> bytes:
        """Return bytes from an offset on: fewer than asked for only at the end of the file, none beyond it."""
        ...

    async def write(self, offset: int, data: bytes) -> None:
        """Write bytes at an offset; what lies between the end of the file and there becomes zeros."""
        ...

    async def aclose(self) -> None:
        """Close the file; may be called twice."""
        ...


class FileSystem(Protocol):
    """Files by absolute path; every failure is a ``FileSystemError`` with the operating system's text.

    When the machine can't be asked, it is a :class:`~codex_hookspecs.errors.FilesLost`.
    """

    def within(self, scope: FileScope) -> FileSystem:
        """Return the same files as a policy lets them be used.

        Each use is checked on what was really opened, not on the path: commands that run meanwhile may exchange
        directories for links.
        """
        ...

    async def read_file(self, path: str, *, limit: int | None = None) -> bytes:
        """Return the content of a regular file, at most ``limit`` bytes of it."""
        ...

    async def write_file(self, path: str, data: bytes) -> None:
        """Replace or create a file as a whole; its directory must exist, its mode is kept."""
        ...

    async def open(self, path: str, *, replace: bool = False) -> OpenFile:
        """Open a regular file, to be read at any place, or with ``replace`` to be written from empty on.

        A missing file is made with ``replace``; its directory must exist. What a policy allows is checked once, here.
        """
        ...

    async def create_directory(self, path: str, *, recursive: bool = True) -> None:
        """Create a directory; with ``recursive`` also its parents, and an existing one is fine."""
        ...

    async def metadata(self, path: str) -> FileMetadata:
        """Return what is known of a path; links are followed, ``is_symlink`` tells of the link itself."""
        ...

    async def canonicalize(self, path: str) -> str:
        """Return the path with all links resolved; it must exist."""
        ...

    async def read_directory(self, path: str) -> Sequence[DirectoryEntry]:
        """Return the names in a directory, unsorted; dangling links are left out."""
        ...

    async def remove(self, path: str, *, recursive: bool = True, force: bool = True) -> None:
        """Remove a file, link or tree; with ``force`` a missing one is fine."""
        ...

    async def copy(self, source: str, destination: str, *, recursive: bool = False) -> None:
        """Copy a file, or with ``recursive`` a tree."""
        ...


class Environment(Protocol):
    """One machine; nobody above can tell whether it is this one."""

    @property
    def id(self) -> str:
        """Name of the environment, e.g. ``local``."""
        ...

    @property
    def remote(self) -> bool:
        """Whether it is another machine, which holds sandbox policies itself."""
        ...

    @property
    def exec(self) -> ExecBackend:
        """Starts processes there."""
        ...

    @property
    def files(self) -> FileSystem:
        """Its files."""
        ...

    @property
    def http(self) -> HttpClient:
        """Makes HTTP requests from there."""
        ...

    async def facts(self) -> EnvironmentFacts:
        """Return what is known of the machine; asked once, then remembered."""
        ...

    async def aclose(self) -> None:
        """End all its processes and connections; may be called twice."""
        ...


class EnvironmentProvider(Protocol):
    """Makes environments of one id; offered through the hook ``environments``."""

    @property
    def id(self) -> str:
        """Name that configuration and threads use."""
        ...

    @property
    def default(self) -> bool:
        """Whether threads that name no environment get this one; a remote default beats the local one."""
        ...

    @property
    def remote(self) -> bool:
        """Whether it is another machine, whose paths say nothing about this one's; not when left out."""
        ...

    async def open(self) -> Environment:
        """Return the environment, connected.

        :raises ExecError: when it can't be reached.
        """
        ...


class EnvironmentManager(Protocol):
    """All environments of the program; each is opened on first use, shared, and closed with the program."""

    async def get(self, environment_id: str | None = None) -> Environment:
        """Return an environment, opened.

        :param environment_id: its name; the default one when ``None``.
        :raises ExecError: when there is none of that name.
        :raises EnvironmentLost: when it can't be reached.
        """
        ...

    def name_of(self, environment_id: str | None = None) -> str | None:
        """Return the name of an environment, without opening it; ``None`` when there is none at all.

        :param environment_id: its name; the default one when ``None``.
        :raises ConfigError: when there is none of that name.
        """
        ...

    def is_remote(self, environment_id: str | None = None) -> bool:
        """Tell whether an environment is another machine, without opening it.

        :param environment_id: its name; the default one when ``None``.
        """
        ...

    async def of(self, thread: AgentThread) -> Environment:
        """Return the environment a thread works on: the one its configuration names under ``environment``.

        :raises ExecError: as ``get`` does.
        """
        ...
