"""Basics of the Windows API: functions, structures, errors."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, Structure, c_byte, c_longlong, c_size_t, c_ulonglong, c_void_p, c_wchar_p
from ctypes import c_uint16 as word
from ctypes import c_uint32 as dword
from functools import cache
from typing import Any

INVALID_HANDLE = c_void_p(-1).value
INFINITE = 0xFFFFFFFF


class SecurityAttributes(Structure):
    """``SECURITY_ATTRIBUTES``."""

    _fields_ = (("length", dword), ("descriptor", c_void_p), ("inherit", dword))


class StartupInfo(Structure):
    """``STARTUPINFOW``."""

    _fields_ = (
        ("size", dword), ("reserved", c_wchar_p), ("desktop", c_wchar_p), ("title", c_wchar_p), ("x", dword),
        ("y", dword), ("width", dword), ("height", dword), ("columns", dword), ("rows", dword), ("fill", dword),
        ("flags", dword), ("show", word), ("reserved_size", word), ("reserved_bytes", c_void_p), ("stdin", c_void_p),
        ("stdout", c_void_p), ("stderr", c_void_p),
    )  # fmt: skip


class StartupInfoEx(Structure):
    """``STARTUPINFOEXW``."""

    _fields_ = (("info", StartupInfo), ("attributes", c_void_p))


class ProcessInformation(Structure):
    """``PROCESS_INFORMATION``."""

    _fields_ = (("process", c_void_p), ("thread", c_void_p), ("process_id", dword), ("thread_id", dword))


class JobLimits(Structure):
    """``JOBOBJECT_EXTENDED_LIMIT_INFORMATION``."""

    _fields_ = (
        ("process_time", c_longlong), ("job_time", c_longlong), ("flags", dword), ("least_set", c_size_t),
        ("most_set", c_size_t), ("processes", dword), ("affinity", c_size_t), ("priority", dword), ("class", dword),
        ("io", c_ulonglong * 6), ("process_memory", c_size_t), ("job_memory", c_size_t), ("peak_process", c_size_t),
        ("peak_job", c_size_t),
    )  # fmt: skip


class SidAndAttributes(Structure):
    """``SID_AND_ATTRIBUTES``."""

    _fields_ = (("sid", c_void_p), ("attributes", dword))


@cache
def function(library: str, name: str, result: Any, *arguments: Any) -> Any:
    """Return a function of the API with its argument and result types set."""
    found = getattr(_library(library), name)
    found.restype = result
    found.argtypes = arguments
    return found


def kernel32(name: str, *arguments: Any, result: Any = dword) -> Any:
    """Return a function of ``kernel32``."""
    return function("kernel32", name, result, *arguments)


def advapi32(name: str, *arguments: Any, result: Any = dword) -> Any:
    """Return a function of ``advapi32``."""
    return function("advapi32", name, result, *arguments)


def check(what: str, result: Any) -> Any:
    """Return the result of a call.

    :param what: what the call does, for the error.
    :raises OSError: when the result is zero or an invalid handle; with the system's error message.
    """
    if not result or result == INVALID_HANDLE:
        raise failure(what)
    return result


def failure(what: str, code: int | None = None) -> OSError:
    """Return the exception for a failed call."""
    number = last_error() if code is None else code
    text = getattr(ctypes, "FormatError")(number)  # noqa: B009
    return OSError(number, f"{what}: {text} (os error {number})")


def last_error() -> int:
    """Return the error number of the last call in this thread."""
    return int(getattr(ctypes, "get_last_error")())  # noqa: B009


def close_handle(handle: int | None) -> None:
    """Close a handle, if there is one."""
    if handle and handle != INVALID_HANDLE:
        kernel32("CloseHandle", c_void_p)(handle)


def free(pointer: Any) -> None:
    """Free memory that the system allocated."""
    kernel32("LocalFree", c_void_p, result=c_void_p)(pointer)


def sid_of(text: str) -> c_void_p:
    """Parse a SID; free it with :func:`free`.

    :raises OSError: when the text is not a SID.
    """
    pointer = c_void_p()
    convert = advapi32("ConvertStringSidToSidW", c_wchar_p, POINTER(c_void_p))
    check(f"read the SID {text}", convert(text, ctypes.byref(pointer)))
    return pointer


def buffer(size: int) -> Any:
    """Return zeroed memory."""
    return (c_byte * size)()


@cache
def _library(name: str) -> Any:
    # ctypes.WinDLL exists on Windows only.
    return getattr(ctypes, "WinDLL")(name, use_last_error=True)  # noqa: B009
