"""Access files through a helper program inside of a sandbox.

The sandbox is enforced by the operating system, so that a path that changes meanwhile (a replaced symlink) can't
circumvent the policy.
"""

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
    from codex_exec_server.sandbox import SandboxRequest
    from codex_exec_server.tree_walk import Limits
    from codex_hookspecs.environments import ExecBackend, ExecProcess
    from codex_hookspecs.sandbox import Launch
    from codex_sandboxing.resolved import ResolvedPolicy

    LaunchSandboxed = Callable[[tuple[str, ...], str, dict[str, str], SandboxRequest], Launch]

WORK_SECONDS: Final = 300.0
_PIECE: Final = 64 * 1024
_PATH: Final = "/usr/local/bin:/usr/bin:/bin"
_BOOTSTRAP: Final = """
import sys, types
package = types.ModuleType("codex_exec_server")
package.__path__ = []
sys.modules["codex_exec_server"] = package
for name, text in SOURCES:
    module = types.ModuleType("codex_exec_server." + name)
    sys.modules[module.__name__] = module
    exec(compile(text, name, "exec"), module.__dict__)
sys.modules["codex_exec_server.sandboxed_files_helper"].serve(sys.stdin.buffer, sys.stdout.buffer)
"""


class SandboxedHelper:
    """A running helper program inside of a sandbox.

    :param launch: its sandbox, closed together with it.
    """

    def __init__(self, process: ExecProcess, launch: Launch) -> None:
        self._process = process
        self._launch = launch
        self._events = process.events()
        self._stdout = bytearray()
        self._stderr = b""

    async def call(self, operation: str, path: str, data: bytes = b"", **more: Any) -> tuple[Any, bytes]:
        """Run one operation of the helper.

        :raises FileSystemError: when the operation fails; the message is that of the operating system.
        """
        request = {"op": operation, "path": path, "size": len(data), **more}
        try:
            async with asyncio.timeout(WORK_SECONDS):
                await self._process.write(json.dumps(request).encode() + b"\n")
                for place in range(0, len(data), _PIECE):
                    await self._process.write(data[place : place + _PIECE])
                answer = json.loads(await self._receive(b"\n"))
                found = await self._receive(answer["size"])
        except TimeoutError:
            raise FileSystemError(f"path `{path}`: no answer in {WORK_SECONDS:.0f} seconds", path=path) from None
        if "errno" in answer:
            number = answer["errno"]
            raise FileSystemError(f"{os.strerror(number)} (os error {number})", path=path, errno=number)
        if "refused" in answer:
            raise FileSystemError(answer["refused"], path=path)
        return answer["result"], found

    async def read(self, offset: int, length: int) -> bytes:
        """Read from the open file."""
        return (await self.call("read_block", "", offset=offset, length=length))[1]

    async def write(self, offset: int, data: bytes) -> None:
        """Write to the open file."""
        await self.call("write_block", "", data, offset=offset)

    async def aclose(self) -> None:
        """Terminate the helper."""
        await self._process.terminate()
        self._launch.close()

    async def _receive(self, until: int | bytes) -> bytes:
        """Read from the helper's stdout: a number of bytes, or up to and including a delimiter."""
        while (end := until if isinstance(until, int) else self._stdout.find(until) + 1 or -1) < 0 or end > len(
            self._stdout
        ):
            event = await anext(self._events, None)
            if isinstance(event, OutputChunk) and event.stream == "stdout":
                self._stdout += event.data
            elif isinstance(event, OutputChunk):
                self._stderr = (self._stderr + event.data)[-2048:]
            elif event is None or isinstance(event, ProcessClosed | ProcessFailed):
                said = self._stderr.decode(errors="replace").strip() or "no output"
                raise ExecError(f"the file helper inside of the sandbox has ended: {said}")
        found = bytes(self._stdout[:end])
        del self._stdout[:end]
        return found


class SandboxedFiles:
    """The :class:`~codex_hookspecs.environments.FileSystem` port, restricted by a sandbox policy.

    :param backend: starts the helper.
    :param launch: prepares a command to run under a policy.
    :param environ: environment variables of the server.
    """

    def __init__(
        self,
        backend: ExecBackend,
        launch: LaunchSandboxed,
        environ: Mapping[str, str],
        sandbox: SandboxRequest,
        resolved: ResolvedPolicy,
    ) -> None:
        self._backend = backend
        self._launch = launch
        self._environ = environ
        self._sandbox = sandbox
        self._resolved = resolved

    async def read_file(self, path: str, *, limit: int | None = None) -> bytes:
        """Return the content of a regular file."""
        return (await self._call_once("read", path, limit=limit))[1]

    async def write_file(self, path: str, data: bytes) -> None:
        """Replace or create a file."""
        await self._call_once("write", path, data)

    async def create_directory(self, path: str, *, recursive: bool = True) -> None:
        """Create a directory."""
        await self._call_once("create", path, recursive=recursive)

    async def metadata(self, path: str) -> FileMetadata:
        """Return the metadata of a path."""
        directory, file, link, size, born, modified = (await self._call_once("metadata", path))[0]
        return FileMetadata(
            is_directory=directory,
            is_file=file,
            is_symlink=link,
            size=size,
            created_at_ms=born,
            modified_at_ms=modified,
        )

    async def canonicalize(self, path: str) -> str:
        """Return the path with all symlinks resolved."""
        return str((await self._call_once("canonicalize", path))[0])

    async def read_directory(self, path: str) -> Sequence[DirectoryEntry]:
        """Return the entries of a directory."""
        found, _ = await self._call_once("entries", path)
        return [DirectoryEntry(name, directory, is_file=file) for name, directory, file in found]

    async def remove(self, path: str, *, recursive: bool = True, force: bool = True) -> None:
        """Remove a file, symlink or tree."""
        await self._call_once("remove", path, recursive=recursive, force=force)

    async def copy(self, source: str, destination: str, *, recursive: bool = False) -> None:
        """Copy a file, symlink or tree."""
        self._require_visible(destination)
        await self._call_once("copy", source, destination=destination, recursive=recursive)

    async def walk(self, root: str, limits: Limits) -> dict[str, Any]:
        """List a tree of directories."""
        found: dict[str, Any] = (await self._call_once("walk", root, limits=list(limits)))[0]
        return found

    async def open(self, path: str, *, replace: bool = False) -> SandboxedHelper:
        """Open a file in a new helper, which handles only its block operations."""
        self._require_visible(path)
        helper = await self._start()
        try:
            await helper.call("open", path, replace=replace)
        except BaseException:
            await helper.aclose()
            raise
        return helper

    async def _call_once(self, operation: str, path: str, data: bytes = b"", **more: Any) -> tuple[Any, bytes]:
        self._require_visible(path)
        async with self._helper() as helper:
            return await helper.call(operation, path, data, **more)

    @asynccontextmanager
    async def _helper(self) -> AsyncIterator[SandboxedHelper]:
        helper = await self._start()
        try:
            yield helper
        finally:
            await helper.aclose()

    async def _start(self) -> SandboxedHelper:
        """Start the helper.

        :raises SandboxUnavailable: when no launcher can enforce the policy.
        :raises ExecError: when it can't be started.
        """
        env = {"PATH": _PATH, **{name: self._environ[name] for name in ("TMPDIR",) if name in self._environ}}
        launch = self._launch(_helper_argv(), "/", env, _with_python_readable(self._sandbox, self._resolved))
        params = ExecParams(process_id=f"files-{uuid4()}", argv=launch.argv, cwd="/", env=launch.env, pipe_stdin=True)
        return SandboxedHelper(await start_launched(self._backend, params, launch), launch)

    def _require_visible(self, path: str) -> None:
        """Hide paths that the policy denies but that are readable in the sandbox because Python needs them."""
        if self._resolved.full_read:
            return
        from codex_sandboxing.linux.disk_plan import PLATFORM_PATHS
        from codex_sandboxing.resolved import is_below

        real = os.path.realpath(path)
        if self._resolved.access(real) != "none" or self._resolved.access(path) != "none":
            return
        platform = any(is_below(each, place) for each in (path, real) for place in PLATFORM_PATHS)
        if (platform and not self._resolved.platform_defaults) or (
            not platform and any(is_below(real, place) for place in _python_prefixes())
        ):
            raise FileSystemError(
                f"{os.strerror(errno.ENOENT)} (os error {errno.ENOENT})", path=path, errno=errno.ENOENT
            )


@cache
def _helper_argv() -> tuple[str, ...]:
    folder = Path(__file__).parent
    sources = [(name, (folder / f"{name}.py").read_text("utf-8")) for name in ("tree_walk", "sandboxed_files_helper")]
    return (os.path.realpath(sys.executable), "-I", "-S", "-c", f"SOURCES = {sources!r}{_BOOTSTRAP}")


@cache
def _python_prefixes() -> tuple[str, ...]:
    """Return the directories of this Python installation."""
    return tuple(dict.fromkeys(os.path.realpath(place) for place in (sys.base_prefix, sys.base_exec_prefix)))


def _with_python_readable(sandbox: SandboxRequest, resolved: ResolvedPolicy) -> SandboxRequest:
    """Add what Python needs to start to the readable paths of a policy."""
    if resolved.full_read:
        return sandbox
    from codex_hookspecs.sandbox import MINIMAL, FileSystemEntry

    entries = sandbox.permissions.file_system.entries
    more = [FileSystemEntry(MINIMAL, "read"), *(FileSystemEntry(place, "read") for place in _python_prefixes())]
    system = sandbox.permissions.file_system._replace(entries=(*entries, *more))
    return sandbox._replace(permissions=sandbox.permissions._replace(file_system=system))
