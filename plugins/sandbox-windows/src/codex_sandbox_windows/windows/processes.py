"""Start commands on Windows with a restricted token, in a job, on pipes or a pseudo console."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Mapping
from ctypes import POINTER, c_size_t, c_void_p, c_wchar_p
from ctypes import c_uint32 as dword

from codex_sandbox_windows.child import SpawnError
from codex_sandbox_windows.command_line import command_line, environment_block
from codex_sandbox_windows.messages import SpawnRequest, Stream
from codex_sandbox_windows.windows.api import (
    INFINITE,
    INVALID_HANDLE,
    ProcessInformation,
    StartupInfoEx,
    advapi32,
    buffer,
    check,
    close_handle,
    kernel32,
)
from codex_sandbox_windows.windows.console import PseudoConsole, anonymous_pipe
from codex_sandbox_windows.windows.desktops import DEFAULT, Desktop
from codex_sandbox_windows.windows.jobs import Job
from codex_sandbox_windows.windows.pipes import read_handle, write_handle
from codex_sandbox_windows.windows.tokens import restricted_token

_USE_HANDLES = 0x100
_SUSPENDED, _UNICODE_ENVIRONMENT, _EXTENDED_INFO, _NO_WINDOW = 0x4, 0x400, 0x80000, 0x08000000
_CONSOLE_ATTRIBUTE, _HANDLES_ATTRIBUTE = 0x00020016, 0x00020002
_INHERIT_FLAG = 1
_READ_BYTES = 65536


class WindowsChild:
    """A command on Windows; see :class:`codex_sandbox_windows.child.Child`.

    :raises OSError: when it can't be started.
    """

    def __init__(self, request: SpawnRequest) -> None:
        self._handles: list[int] = []
        self._stdin: int | None = None
        self._stdin_lock = threading.Lock()
        self._console = PseudoConsole() if request.tty else None
        self._desktop: Desktop | None = None
        self._job: Job | None = None
        self._process = 0
        self.process_id = 0
        self._reading: dict[Stream, int] = {}
        try:
            self._job = Job()
            self._desktop = Desktop() if request.use_private_desktop else None
            self._start(request)
        except OSError:
            self.close()
            raise

    @property
    def outputs(self) -> Mapping[Stream, Callable[[], bytes]]:
        """Functions that read the next bytes of a stream."""
        return {stream: lambda handle=handle: read_handle(handle, _READ_BYTES)  # type: ignore[misc]
                for stream, handle in self._reading.items()}  # fmt: skip

    def write(self, data: bytes) -> None:
        """Write to its stdin; does nothing when that is closed."""
        with self._stdin_lock:
            if self._stdin is not None:
                write_handle(self._stdin, data)

    def close_stdin(self) -> None:
        """Close its stdin."""
        with self._stdin_lock:
            close_handle(self._stdin)
            self._stdin = None

    def resize(self, rows: int, columns: int) -> None:
        """Change the size of its pseudo console."""
        if self._console is not None:
            self._console.resize(rows, columns)

    def terminate(self, exit_code: int) -> None:
        """Kill it and everything it started."""
        if self._job is not None:
            self._job.terminate(exit_code)

    def wait(self, seconds: float | None) -> int | None:
        """Wait for its exit code; ``None`` on timeout."""
        limit = INFINITE if seconds is None else min(int(seconds * 1000), INFINITE - 1)
        if kernel32("WaitForSingleObject", c_void_p, dword)(self._process, limit) != 0:
            return None
        code = dword()
        read = kernel32("GetExitCodeProcess", c_void_p, POINTER(dword))
        check("read the exit code", read(self._process, ctypes.byref(code)))
        return ctypes.c_int32(code.value).value

    def release(self) -> None:
        """Kill its background processes and close its console, so that its outputs reach EOF."""
        self.terminate(1)
        if self._console is not None:
            self._console.close()

    def close(self) -> None:
        """Close all handles."""
        self.close_stdin()
        if self._console is not None:
            self._console.close()
        for handle in (*self._handles, *self._reading.values(), self._process):
            close_handle(handle)
        self._handles, self._reading, self._process = [], {}, 0
        if self._job is not None:
            self._job.close()
        if self._desktop is not None:
            self._desktop.close()

    def _start(self, request: SpawnRequest) -> None:
        info = StartupInfoEx()
        info.info.size = ctypes.sizeof(StartupInfoEx)
        info.info.flags = _USE_HANDLES
        info.info.desktop = self._desktop.name if self._desktop else DEFAULT
        if self._console is not None:
            attribute, value, size = _CONSOLE_ATTRIBUTE, c_void_p(self._console.handle), ctypes.sizeof(c_void_p)
            info.info.stdin = info.info.stdout = info.info.stderr = INVALID_HANDLE
            self._stdin, self._reading = self._console.stdin, {"stdout": self._console.stdout}
        else:
            inherited = self._pipes(info, stdin_open=request.stdin_open)
            value = (c_void_p * len(inherited))(*inherited)  # type: ignore[assignment]
            attribute, size = _HANDLES_ATTRIBUTE, ctypes.sizeof(value)
        memory = _attribute_list()
        info.attributes = ctypes.addressof(memory)
        update = kernel32(
            "UpdateProcThreadAttribute", c_void_p, dword, c_size_t, c_void_p, c_size_t, c_void_p, c_void_p
        )  # fmt: skip
        # The attribute's value is the pseudo console itself, or a pointer to the list of handles.
        given = value if self._console is not None else ctypes.cast(value, c_void_p)
        check("set an attribute of the process", update(memory, 0, attribute, given, size, None, None))
        try:
            self._create(request, info)
        finally:
            kernel32("DeleteProcThreadAttributeList", c_void_p, result=None)(memory)
            for handle in self._handles:
                close_handle(handle)
            self._handles = []

    def _pipes(self, info: StartupInfoEx, *, stdin_open: bool) -> list[int]:
        """Create the pipes; return the ends that the command inherits."""
        theirs_in, stdin = anonymous_pipe()
        self._handles.append(theirs_in)
        self._stdin = stdin
        streams: tuple[Stream, ...] = ("stdout", "stderr")
        for stream in streams:
            reading, writing = anonymous_pipe()
            self._reading[stream] = reading
            self._handles.append(writing)
        for handle in self._handles:
            marked = kernel32("SetHandleInformation", c_void_p, dword, dword)(handle, _INHERIT_FLAG, _INHERIT_FLAG)
            check("let a pipe be inherited", marked)
        info.info.stdin, info.info.stdout, info.info.stderr = self._handles
        if not stdin_open:
            self.close_stdin()
        return list(self._handles)

    def _create(self, request: SpawnRequest, info: StartupInfoEx) -> None:
        token = restricted_token(request.cap_sids)
        made = ProcessInformation()
        create = advapi32(
            "CreateProcessAsUserW", c_void_p, c_wchar_p, c_wchar_p, c_void_p, c_void_p, dword, dword, c_wchar_p,
            c_wchar_p, c_void_p, POINTER(ProcessInformation),
        )  # fmt: skip
        line = ctypes.create_unicode_buffer(command_line(request.command))
        block = ctypes.create_unicode_buffer(environment_block(request.env))
        flags = _SUSPENDED | _UNICODE_ENVIRONMENT | _EXTENDED_INFO
        if self._console is None:
            flags |= _NO_WINDOW
        inherit = int(self._console is None)
        try:
            result = create(
                token, None, ctypes.cast(line, c_wchar_p), None, None, inherit, flags, ctypes.cast(block, c_wchar_p),
                request.cwd, ctypes.byref(info), ctypes.byref(made),
            )  # fmt: skip
            check(f"start {request.command[0]}", result)
        finally:
            close_handle(token)
        self._process, self.process_id = int(made.process), int(made.process_id)
        assert self._job is not None
        try:
            # It was created suspended, so it can't have started anything outside of the job.
            self._job.add(self._process)
            kernel32("ResumeThread", c_void_p)(made.thread)
        except OSError:
            kernel32("TerminateProcess", c_void_p, dword)(self._process, 1)
            raise
        finally:
            close_handle(made.thread)


def spawn(request: SpawnRequest) -> WindowsChild:
    """Start a command.

    :raises SpawnError: when it can't be started.
    """
    try:
        return WindowsChild(request)
    except OSError as error:
        raise SpawnError(str(error.strerror or error)) from error


def _attribute_list() -> ctypes.Array[ctypes.c_byte]:
    """Return an initialized list for one process attribute."""
    size = c_size_t()
    begin = kernel32("InitializeProcThreadAttributeList", c_void_p, dword, dword, POINTER(c_size_t))
    begin(None, 1, 0, ctypes.byref(size))
    memory: ctypes.Array[ctypes.c_byte] = buffer(size.value)
    check("make a list of attributes", begin(memory, 1, 0, ctypes.byref(size)))
    return memory
