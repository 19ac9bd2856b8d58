"""Named pipes between a runner and its parent."""

from __future__ import annotations

import ctypes
import threading
import time
from ctypes import POINTER, c_void_p, c_wchar_p
from ctypes import c_uint32 as dword

from codex_sandbox_windows.names import pipe_access
from codex_sandbox_windows.windows.api import (
    SecurityAttributes,
    advapi32,
    check,
    close_handle,
    failure,
    free,
    kernel32,
    last_error,
)

_READ, _WRITE, _OPEN_EXISTING = 0x80000000, 0x40000000, 3
_INBOUND, _OUTBOUND, _FIRST_INSTANCE, _REJECT_REMOTE = 1, 2, 0x00080000, 0x8
_BUFFER = 65536
_BROKEN = (109, 232, 233)
"""``ERROR_BROKEN_PIPE``, ``ERROR_NO_DATA``, ``ERROR_PIPE_NOT_CONNECTED``."""

_CONNECTED = 535
_POLL_SECONDS = 0.05


class PipeTransport:
    """Two pipes, one for each direction.

    :param reading: handle to read from.
    :param writing: handle to write to.
    """

    def __init__(self, reading: int, writing: int) -> None:
        self.reading = reading
        self.writing = writing

    def read(self, size: int) -> bytes:
        """Return available bytes, at least one; empty at EOF."""
        return read_handle(self.reading, size)

    def write(self, data: bytes) -> None:
        """Write all bytes."""
        write_handle(self.writing, data)

    def wait_readable(self, seconds: float) -> bool:
        """Wait until data or EOF can be read; ``False`` on timeout."""
        deadline = time.monotonic() + seconds
        there = dword()
        peek = kernel32("PeekNamedPipe", c_void_p, c_void_p, dword, c_void_p, POINTER(dword), c_void_p)
        while True:
            if not peek(self.reading, None, 0, None, ctypes.byref(there), None) or there.value:
                return True
            if time.monotonic() >= deadline:
                return False
            time.sleep(_POLL_SECONDS)

    def close(self) -> None:
        """Close both."""
        close_handle(self.reading)
        close_handle(self.writing)


def open_pipes(pipe_in: str, pipe_out: str) -> PipeTransport:
    """Open the pipes that the parent created.

    :raises OSError: when one can't be opened.
    """
    reading = _open(pipe_in, _READ)
    try:
        return PipeTransport(reading, _open(pipe_out, _WRITE))
    except OSError:
        close_handle(reading)
        raise


def create_pipes(pipe_in: str, pipe_out: str, user_sid: str) -> PipeTransport:
    """Create the pipes for a runner; only one user may open them.

    :raises OSError: when they can't be created.
    """
    writing = _create(pipe_in, _OUTBOUND, user_sid)
    try:
        return PipeTransport(_create(pipe_out, _INBOUND, user_sid), writing)
    except OSError:
        close_handle(writing)
        raise


def await_runner(transport: PipeTransport, process_id: int, seconds: float) -> None:
    """Wait until the runner has opened both pipes.

    :param process_id: the runner's pid; a connection from another process is refused.
    :raises TimeoutError: when it does not connect in time.
    :raises OSError: when a pipe failed, or another process connected first.
    """
    deadline = time.monotonic() + seconds
    for handle in (transport.writing, transport.reading):
        _connect(handle, max(0.0, deadline - time.monotonic()))
        client = dword()
        ask = kernel32("GetNamedPipeClientProcessId", c_void_p, POINTER(dword))
        check("ask who opened the pipe", ask(handle, ctypes.byref(client)))
        if client.value != process_id:
            raise OSError(f"the pipe was opened by process {client.value}, not by the runner {process_id}")


def read_handle(handle: int, size: int) -> bytes:
    """Return available bytes, empty at EOF.

    :raises OSError: when it can't be read.
    """
    data, count = ctypes.create_string_buffer(size), dword()
    read = kernel32("ReadFile", c_void_p, c_void_p, dword, POINTER(dword), c_void_p)
    if not read(handle, data, size, ctypes.byref(count), None):
        if last_error() in _BROKEN:
            return b""
        raise failure("read from a pipe")
    return data.raw[: count.value]


def write_handle(handle: int, data: bytes) -> None:
    """Write all bytes.

    :raises OSError: when the other side is gone.
    """
    write = kernel32("WriteFile", c_void_p, c_void_p, dword, POINTER(dword), c_void_p)
    while data:
        count = dword()
        check("write to a pipe", write(handle, data, len(data), ctypes.byref(count), None))
        data = data[count.value :]


def _open(name: str, access: int) -> int:
    create = kernel32("CreateFileW", c_wchar_p, dword, dword, c_void_p, dword, dword, c_void_p, result=c_void_p)
    return int(check(f"open {name}", create(name, access, 0, None, _OPEN_EXISTING, 0, None)))


def _create(name: str, direction: int, user_sid: str) -> int:
    descriptor = c_void_p()
    convert = advapi32(
        "ConvertStringSecurityDescriptorToSecurityDescriptorW", c_wchar_p, dword, POINTER(c_void_p), c_void_p
    )
    check("describe who may open the pipe", convert(pipe_access(user_sid), 1, ctypes.byref(descriptor), None))
    attributes = SecurityAttributes(ctypes.sizeof(SecurityAttributes), descriptor, 0)
    create = kernel32("CreateNamedPipeW", c_wchar_p, *[dword] * 6, POINTER(SecurityAttributes), result=c_void_p)
    try:
        mode = direction | _FIRST_INSTANCE
        handle = create(name, mode, _REJECT_REMOTE, 1, _BUFFER, _BUFFER, 0, ctypes.byref(attributes))
        return int(check(f"make the pipe {name}", handle))
    finally:
        free(descriptor)


def _connect(handle: int, seconds: float) -> None:
    """Wait in a thread for a client; on timeout cancel the thread's wait."""
    errors: list[int] = []

    def wait() -> None:
        connect = kernel32("ConnectNamedPipe", c_void_p, c_void_p)
        errors.append(0 if connect(handle, None) else last_error())

    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    waiting.join(seconds)
    if waiting.is_alive():
        _cancel(waiting)
        waiting.join(1.0)
        raise TimeoutError("the runner did not open its pipes")
    if errors[0] not in (0, _CONNECTED):
        raise failure("wait for the runner", errors[0])


def _cancel(waiting: threading.Thread) -> None:
    thread_terminate = 1
    open_thread = kernel32("OpenThread", dword, dword, dword, result=c_void_p)
    thread = open_thread(thread_terminate, 0, waiting.native_id or 0)
    if thread:
        kernel32("CancelSynchronousIo", c_void_p)(thread)
        close_handle(thread)
