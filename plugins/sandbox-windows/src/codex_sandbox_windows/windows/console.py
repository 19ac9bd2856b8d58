"""Pseudo consoles (ConPTY)."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, c_int32, c_void_p
from ctypes import c_uint32 as dword

from codex_sandbox_windows.windows.api import SecurityAttributes, check, close_handle, failure, kernel32

ROWS, COLUMNS = 24, 80


def anonymous_pipe(*, inherit: bool = False) -> tuple[int, int]:
    """Create a pipe; return its reading and its writing end.

    :raises OSError: when it can't be created.
    """
    reading, writing = c_void_p(), c_void_p()
    attributes = SecurityAttributes(ctypes.sizeof(SecurityAttributes), None, int(inherit))
    create = kernel32("CreatePipe", POINTER(c_void_p), POINTER(c_void_p), POINTER(SecurityAttributes), dword)
    made = create(ctypes.byref(reading), ctypes.byref(writing), ctypes.byref(attributes), 0)
    check("make a pipe", made)
    return int(reading.value or 0), int(writing.value or 0)


class PseudoConsole:
    """A pseudo console with this process's ends of its pipes.

    :ivar stdin: handle to write what is typed to.
    :ivar stdout: handle to read what is shown from.
    """

    def __init__(self) -> None:
        theirs_in, self.stdin = anonymous_pipe()
        self.stdout, theirs_out = anonymous_pipe()
        handle = c_void_p()
        create = kernel32(
            "CreatePseudoConsole", dword, c_void_p, c_void_p, dword, POINTER(c_void_p), result=c_int32
        )  # fmt: skip
        result = create(_size(ROWS, COLUMNS), theirs_in, theirs_out, 0, ctypes.byref(handle))
        close_handle(theirs_in)
        close_handle(theirs_out)
        if result != 0:
            close_handle(self.stdin)
            close_handle(self.stdout)
            raise failure("make a pseudo console", result & 0xFFFF)
        self.handle: int | None = handle.value

    def resize(self, rows: int, columns: int) -> None:
        """Change its size."""
        if self.handle is not None:
            kernel32("ResizePseudoConsole", c_void_p, dword, result=c_int32)(self.handle, _size(rows, columns))

    def close(self) -> None:
        """Close the console; its output reaches EOF then."""
        if self.handle is not None:
            kernel32("ClosePseudoConsole", c_void_p, result=None)(self.handle)
            self.handle = None


def _size(rows: int, columns: int) -> int:
    """Return a ``COORD``, which is passed by value: columns in the low word, rows in the high word."""
    return (min(max(rows, 1), 0x7FFF) << 16) | min(max(columns, 1), 0x7FFF)
