"""Have files worked on by a program inside of a sandbox, so that it holds whatever happens to the paths meanwhile."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from codex_hookspecs.environments import (
    DirectoryEntry,
    ExecParams,
    FileMetadata,
    OutputChunk,
    ProcessClosed,
    ProcessFailed,
    start_launched,
)
from codex_hookspecs.errors import ExecError, FileSystemError
from codex_hookspecs.protocol import uuid4

if TYPE_CHECKING:
    from codex_exec_server.sandbox import Wanted
    from codex_exec_server.walk import Limits
    from codex_hookspecs.environments import ExecBackend, ExecProcess
    from codex_hookspecs.sandbox import Launch
    from codex_sandboxing.resolved import ResolvedPolicy

    LaunchUnder = Callable[[tuple[str, ...], str, dict[str, str], Wanted], Launch]

WORK_SECONDS: Final = 300.0
_PIECE: Final = 64 * 1024
_PATH: Final = "/usr/local/bin:/usr/bin:/bin"
_BEGIN: Final = """
import sys, types
package = types.ModuleType("codex_exec_server")
package.__path__ = []
sys.modules["codex_exec_server"] = package
for name, text in SOURCES:
    module = types.ModuleType("codex_exec_server." + name)
    sys.modules[module.__name__] = module
    exec(compile(text, name, "exec"), module.__dict__)
sys.modules["codex_exec_server.boxed_program"].serve(sys.stdin.buffer, sys.stdout.buffer)
"""


class Box:
    """A running program inside of a sandbox.

    :param launch: how it is held there; it is told when the program is over.
    """

    def __init__(self, process: ExecProcess, launch: Launch) -> None:
        self._process = process
        self._launch = launch
        self._events = process.events()
        self._said = bytearray()
        self._complaint = b""

    async def work(self, operation: str, path: str, data: bytes = b"", **more: Any) -> tuple[Any, bytes]:
        """Do one thing.

        :raises FileSystemError: in the operating system's words.
        """
        request = {"op": operation, "path": path, "size": len(data), **more}
        try:
            async with asyncio.timeout(WORK_SECONDS):
                await self._process.write(json.dumps(request).encode() + b"\n")
                for place in range(0, len(data), _PIECE):
                    await self._process.write(data[place : place + _PIECE])
                answer = json.loads(await self._heard(b"\n"))
                found = await self._heard(answer["size"])
        except TimeoutError:
            raise FileSystemError(f"path `{path}`: no answer in {WORK_SECONDS:.0f} seconds", path=path) from None
        if "errno" in answer:
            number = answer["errno"]
            raise FileSystemError(f"{os.strerror(number)} (os error {number})", path=path, errno=number)
        if "refused" in answer:
            raise FileSystemError(answer["refused"], path=path)
        return answer["result"], found

    async def read(self, offset: int, length: int) -> bytes:
        """Return bytes of the file that it has opened."""
        return (await self.work("read_block", "", offset=offset, length=length))[1]

    async def write(self, offset: int, data: bytes) -> None:
        """Write bytes into the file that it has opened."""
        await self.work("write_block", "", data, offset=offset)

    async def aclose(self) -> None:
        """End the program."""
        await self._process.terminate()
        self._launch.close()

    async def _heard(self, until: int | bytes) -> bytes:
        """Return the next so many bytes that it says, or all up to an end mark."""
        while (end := until if isinstance(until, int) else self._said.find(until) + 1 or -1) < 0 or end > len(
            self._said
        ):
            event = await anext(self._events, None)
            if isinstance(event, OutputChunk) and event.stream == "stdout":
                self._said += event.data
            elif isinstance(event, OutputChunk):
                self._complaint = (self._complaint + event.data)[-2048:]
            elif event is None or isinstance(event, ProcessClosed | ProcessFailed):
                said = self._complaint.decode(errors="replace").strip() or "it said nothing"
                raise ExecError(f"the program that works on files under the sandbox has ended: {said}")
        found = bytes(self._said[:end])
        del self._said[:end]
        return found


class BoxedFiles:
    """Files under a policy, behind the port of an environment's file system.

    :param launch: returns how a command is run so that a policy holds.
    :param environ: environment variables of the server.
    """

    def __init__(
        self,
        backend: ExecBackend,
        launch: LaunchUnder,
        environ: Mapping[str, str],
        wanted: Wanted,
        resolved: ResolvedPolicy,
    ) -> None:
        self._backend = backend
        self._launch = launch
        self._environ = environ
        self._wanted = wanted
        self._resolved = resolved

    async def read_file(self, path: str, *, limit: int | None = None) -> bytes:
        """Return the content of a regular file."""
        return (await self._work("read", path, limit=limit))[1]

    async def write_file(self, path: str, data: bytes) -> None:
        """Replace or create a file."""
        await self._work("write", path, data)

    async def create_directory(self, path: str, *, recursive: bool = True) -> None:
        """Create a directory."""
        await self._work("create", path, recursive=recursive)

    async def metadata(self, path: str) -> FileMetadata:
        """Return what is known of a path."""
        directory, file, link, size, born, modified = (await self._work("metadata", path))[0]
        return FileMetadata(
            is_directory=directory,
            is_file=file,
            is_symlink=link,
            size=size,
            created_at_ms=born,
            modified_at_ms=modified,
        )

    async def canonicalize(self, path: str) -> str:
        """Return the path with all links resolved."""
        return str((await self._work("canonicalize", path))[0])

    async def read_directory(self, path: str) -> Sequence[DirectoryEntry]:
        """Return the names in a directory."""
        found, _ = await self._work("entries", path)
        return [DirectoryEntry(name, directory, is_file=file) for name, directory, file in found]

    async def remove(self, path: str, *, recursive: bool = True, force: bool = True) -> None:
        """Remove a file, link or tree."""
        await self._work("remove", path, recursive=recursive, force=force)

    async def copy(self, source: str, destination: str, *, recursive: bool = False) -> None:
        """Copy a file, link or tree."""
        self._require_visible(destination)
        await self._work("copy", source, destination=destination, recursive=recursive)

    async def walk(self, root: str, limits: Limits) -> dict[str, Any]:
        """List a tree."""
        found: dict[str, Any] = (await self._work("walk", root, limits=list(limits)))[0]
        return found

    async def open(self, path: str, *, replace: bool = False) -> Box:
        """Open a file, which is the only thing that the returned program can work on."""
        self._require_visible(path)
        box = await self._start()
        try:
            await box.work("open", path, replace=replace)
        except BaseException:
            await box.aclose()
            raise
        return box

    async def _work(self, operation: str, path: str, data: bytes = b"", **more: Any) -> tuple[Any, bytes]:
        self._require_visible(path)
        async with self._box() as box:
            return await box.work(operation, path, data, **more)

    @asynccontextmanager
    async def _box(self) -> AsyncIterator[Box]:
        box = await self._start()
        try:
            yield box
        finally:
            await box.aclose()

    async def _start(self) -> Box:
        """Start the program.

        :raises SandboxUnavailable: when nothing can hold the policy.
        :raises ExecError: when it can't be started.
        """
        env = {"PATH": _PATH, **{name: self._environ[name] for name in ("TMPDIR",) if name in self._environ}}
        launch = self._launch(_command(), "/", env, _readable_program(self._wanted, self._resolved))
        params = ExecParams(process_id=f"files-{uuid4()}", argv=launch.argv, cwd="/", env=launch.env, pipe_stdin=True)
        return Box(await start_launched(self._backend, params, launch), launch)

    def _require_visible(self, path: str) -> None:
        """Refuse what only the program itself may read."""
        if self._resolved.full_read:
            return
        from codex_sandboxing.linux.disk_plan import PLATFORM_PATHS
        from codex_sandboxing.resolved import is_below

        real = os.path.realpath(path)
        if self._resolved.access(real) != "none" or self._resolved.access(path) != "none":
            return
        platform = any(is_below(each, place) for each in (path, real) for place in PLATFORM_PATHS)
        if (platform and not self._resolved.platform_defaults) or (
            not platform and any(is_below(real, place) for place in _program_places())
        ):
            raise FileSystemError(
                f"{os.strerror(errno.ENOENT)} (os error {errno.ENOENT})", path=path, errno=errno.ENOENT
            )


@cache
def _command() -> tuple[str, ...]:
    folder = Path(__file__).parent
    sources = [(name, (folder / f"{name}.py").read_text("utf-8")) for name in ("walk", "boxed_program")]
    return (os.path.realpath(sys.executable), "-I", "-S", "-c", f"SOURCES = {sources!r}{_BEGIN}")


@cache
def _program_places() -> tuple[str, ...]:
    """Return the trees that Python consists of."""
    return tuple(dict.fromkeys(os.path.realpath(place) for place in (sys.base_prefix, sys.base_exec_prefix)))


def _readable_program(wanted: Wanted, resolved: ResolvedPolicy) -> Wanted:
    """Return a policy under which Python can start."""
    if resolved.full_read:
        return wanted
    from codex_hookspecs.sandbox import MINIMAL, FileSystemEntry

    entries = wanted.permissions.file_system.entries
    more = [FileSystemEntry(MINIMAL, "read"), *(FileSystemEntry(place, "read") for place in _program_places())]
    system = wanted.permissions.file_system._replace(entries=(*entries, *more))
    return wanted._replace(permissions=wanted.permissions._replace(file_system=system))
