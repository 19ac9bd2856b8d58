"""An in-memory environment, with processes that are Python functions.

    async def greet(process):
        name = await process.receive()
        await process.say(b"hello " + name)
        return 0

    machines = MemoryEnvironments("scratch", files={"/space/a.txt": "a"}, programs={"greet": greet, "true": ""})

A program is looked up by the whole script if a shell runs it (``sh -c SCRIPT``), else by its name. A text instead of a
function is the output of a program that exits with 0.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

from codex_hookspecs.environments.process_feed import ProcessFeed
from codex_hookspecs.errors import ExecError, FileSystemError
from codex_hookspecs.types.environment import (
    EnvironmentFacts,
    ExecParams,
    ProcessEvent,
    ReadResult,
    Stream,
    WriteStatus,
)
from codex_testkit.memory.files import MemoryFileSystem
from codex_testkit.memory.http import MemoryHttp
from codex_testkit.servers.web import Pages

_SHELLS = ("sh", "bash", "zsh", "dash")
_QUEUED_WRITES = 128


class MemoryProcess:
    """A running function; has the process port for the caller, and stdin and output for the function.

    :ivar params: its start parameters.
    :ivar window: rows and columns of its terminal.
    """

    def __init__(self, params: ExecParams, program: Program, on_closed: Callable[[str], None]) -> None:
        self.params = params
        self.window = (params.rows, params.columns)
        self._on_closed = on_closed
        self._room = asyncio.Event()
        self._feed = ProcessFeed(on_room=self._room.set)
        self._stdin: asyncio.Queue[bytes] = asyncio.Queue(_QUEUED_WRITES)
        self._death: int | None = None
        self._task = asyncio.create_task(self._run(program), name=f"memory process {params.process_id}")
        self._task.add_done_callback(self._finish)

    @property
    def process_id(self) -> str:
        """Id chosen by the caller."""
        return self.params.process_id

    async def read(self, after_seq: int = 0, *, max_bytes: int | None = None, wait: float = 0) -> ReadResult:
        """Return retained output newer than a sequence number."""
        return await self._feed.read(after_seq, max_bytes=max_bytes, wait=wait)

    def events(self) -> AsyncIterator[ProcessEvent]:
        """Iterate over the events; a slow reader blocks the function."""
        return self._feed.events()

    async def write(self, data: bytes) -> WriteStatus:
        """Write bytes to the function's stdin."""
        if not (self.params.tty or self.params.pipe_stdin):
            return "stdinClosed"
        if data and not self._feed.log.exited:
            await self._stdin.put(data)
        return "accepted"

    async def close_stdin(self) -> None:
        """End the function's stdin."""
        if not self._feed.log.exited:
            await self._stdin.put(b"")

    async def interrupt(self) -> None:
        """Interrupt the function."""
        self._kill(130)

    async def resize(self, rows: int, columns: int) -> None:
        """Change the window size."""
        if self.params.tty:
            self.window = (rows, columns)

    async def terminate(self) -> bool:
        """Kill the function."""
        running = not self._feed.log.exited
        self._kill(137)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        return running

    async def receive(self) -> bytes:
        """Read from stdin, for the function; empty at its end."""
        if not (self.params.tty or self.params.pipe_stdin):
            return b""
        return await self._stdin.get()

    async def say(self, data: bytes | str, stream: Stream = "stdout") -> None:
        """Write output, for the function; waits for slow readers."""
        while self._feed.full:
            self._room.clear()
            await self._room.wait()
        self._feed.output("pty" if self.params.tty else stream, data.encode() if isinstance(data, str) else data)

    def leave(self, code: int) -> None:
        """Exit, for the function; it then continues like a background child of the exited process."""
        self._feed.exit(code)

    def lose(self, message: str) -> None:
        """Lose the process, as after a lost connection."""
        self._feed.fail(message)
        self._task.cancel()

    def _kill(self, code: int) -> None:
        if not self._feed.log.exited and self._death is None:
            self._death = 1 if self.params.tty else code
            self._task.cancel()

    async def _run(self, program: Program) -> int:
        if isinstance(program, str | bytes):
            await self.say(program)
            return 0
        try:
            return await program(self)
        except Exception as error:
            await self.say(f"{type(error).__name__}: {error}\n", "stderr")
            return 1

    def _finish(self, task: asyncio.Task[int]) -> None:
        died = 137 if self._death is None else self._death
        self._feed.exit(died if task.cancelled() else task.result())
        self._feed.close()
        self._on_closed(self.process_id)


async def _not_found(process: MemoryProcess) -> int:
    await process.say(f"{process.params.argv[0]}: {process.params.argv[2]}: not found\n", "stderr")
    return 127


Program = str | bytes | Callable[[MemoryProcess], Awaitable[int]]
"""A program: a text to print, or a function that returns the exit code."""


class MemoryExecBackend:
    """Starts functions.

    :param programs: programs by name or script.
    """

    def __init__(self, programs: Mapping[str, Program], files: MemoryFileSystem) -> None:
        self.programs = dict(programs)
        self.started: list[ExecParams] = []
        self._files = files
        self._live: dict[str, MemoryProcess] = {}

    async def start(self, params: ExecParams) -> MemoryProcess:
        """Start a process.

        :raises ExecError: when there is no such program or directory, or the id is in use.
        """
        if not params.argv:
            raise ExecError("argv must not be empty", code=-32602)
        if params.process_id in self._live:
            raise ExecError(f"process {params.process_id} already exists", code=-32600)
        program = self._program(params.argv)
        if program is None or not await self._is_directory(params.cwd):
            raise ExecError("No such file or directory (os error 2)")
        self.started.append(params)
        process = MemoryProcess(params, program, self._forget)
        self._live[params.process_id] = process
        return process

    async def aclose(self) -> None:
        """End all processes."""
        await asyncio.gather(*(process.terminate() for process in list(self._live.values())))

    def _program(self, argv: tuple[str, ...]) -> Program | None:
        name = argv[0].rpartition("/")[2]
        if name in _SHELLS and len(argv) >= 3 and name not in self.programs:
            return self.programs.get(argv[2], _not_found)
        return self.programs.get(argv[0], self.programs.get(name))

    async def _is_directory(self, path: str) -> bool:
        try:
            return (await self._files.metadata(path)).is_directory
        except FileSystemError:
            return False

    def _forget(self, process_id: str) -> None:
        self._live.pop(process_id, None)


class MemoryEnvironment:
    """An in-memory environment.

    :param files: paths with their content.
    :param programs: programs by name or script.
    :param sites: handlers of its HTTP requests, by scheme and host (``http://example.test``).
    """

    def __init__(
        self,
        environment_id: str = "memory",
        *,
        files: Mapping[str, str | bytes] | None = None,
        programs: Mapping[str, Program] | None = None,
        sites: Mapping[str, Pages] | None = None,
        cwd: str = "/space",
        remote: bool = False,
    ) -> None:
        self.id = environment_id
        self.remote = remote
        self.files = MemoryFileSystem(files)
        for folder in (cwd, "/tmp", "/home/user"):  # noqa: S108
            self.files._make(folder)
        self.exec = MemoryExecBackend(programs or {}, self.files)
        self.http = MemoryHttp(sites or {})
        self._cwd = cwd

    async def facts(self) -> EnvironmentFacts:
        """Return invented facts."""
        return EnvironmentFacts(os="linux", shell="/bin/sh", home="/home/user", cwd=self._cwd)  # noqa: S604

    async def aclose(self) -> None:
        """End all processes."""
        await self.exec.aclose()


class MemoryEnvironments:
    """Provider of one in-memory environment, for the hook ``environments``.

    :param default: whether it is the default environment.
    """

    def __init__(
        self,
        environment_id: str = "memory",
        *,
        default: bool = False,
        files: Mapping[str, str | bytes] | None = None,
        programs: Mapping[str, Program] | None = None,
        sites: Mapping[str, Pages] | None = None,
        cwd: str = "/space",
        remote: bool = False,
    ) -> None:
        self.id = environment_id
        self.default = default
        self.remote = remote
        self.environment = MemoryEnvironment(
            environment_id, files=files, programs=programs, sites=sites, cwd=cwd, remote=remote
        )

    async def open(self) -> MemoryEnvironment:
        """Return the environment."""
        return self.environment
