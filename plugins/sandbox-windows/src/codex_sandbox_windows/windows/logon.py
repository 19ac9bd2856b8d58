"""Start a runner as the sandbox user."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from ctypes import POINTER, c_void_p, c_wchar_p
from ctypes import c_uint32 as dword

from codex_sandbox_windows.command_line import command_line
from codex_sandbox_windows.windows.api import (
    ProcessInformation,
    StartupInfo,
    advapi32,
    buffer,
    check,
    close_handle,
    free,
    kernel32,
)

_WITH_PROFILE = 1
_UNICODE_ENVIRONMENT, _NO_WINDOW = 0x400, 0x08000000
_NO_ERROR_BOXES = 3


class Runner:
    """The process of a runner."""

    def __init__(self, process: int, process_id: int) -> None:
        self._process = process
        self.process_id = process_id

    def terminate(self) -> None:
        """Kill it."""
        kernel32("TerminateProcess", c_void_p, dword)(self._process, 1)

    def close(self) -> None:
        """Close its handle."""
        close_handle(self._process)


def start_as(user: str, password: str, arguments: Sequence[str], cwd: str) -> Runner:
    """Start a program as a local user.

    :raises OSError: when it can't be started.
    """
    info, made = StartupInfo(), ProcessInformation()
    info.size = ctypes.sizeof(StartupInfo)
    create = advapi32(
        "CreateProcessWithLogonW", c_wchar_p, c_wchar_p, c_wchar_p, dword, c_wchar_p, c_wchar_p, dword, c_void_p,
        c_wchar_p, POINTER(StartupInfo), POINTER(ProcessInformation),
    )  # fmt: skip
    line = ctypes.create_unicode_buffer(command_line(arguments))
    set_mode = kernel32("SetErrorMode", dword)
    before = set_mode(_NO_ERROR_BOXES)
    try:
        result = create(
            user, ".", password, _WITH_PROFILE, None, ctypes.cast(line, c_wchar_p), _NO_WINDOW | _UNICODE_ENVIRONMENT,
            None, cwd, ctypes.byref(info), ctypes.byref(made),
        )  # fmt: skip
        check(f"start the runner as {user}", result)
    finally:
        set_mode(before)
    close_handle(made.thread)
    return Runner(int(made.process), int(made.process_id))


def sid_of_user(user: str) -> str:
    """Return the SID of a local user as text.

    :raises OSError: when there is no such user.
    """
    look = advapi32(
        "LookupAccountNameW", c_wchar_p, c_wchar_p, c_void_p, POINTER(dword), c_wchar_p, POINTER(dword), POINTER(dword)
    )  # fmt: skip
    size, domain_size, kind = dword(256), dword(256), dword()
    sid, domain = buffer(256), ctypes.create_unicode_buffer(256)
    found = look(
        None, user, sid, ctypes.byref(size), ctypes.cast(domain, c_wchar_p), ctypes.byref(domain_size),
        ctypes.byref(kind),
    )  # fmt: skip
    check(f"look up the user {user}", found)
    text = c_void_p()
    convert = advapi32("ConvertSidToStringSidW", c_void_p, POINTER(c_void_p))
    check("write a SID", convert(sid, ctypes.byref(text)))
    try:
        return ctypes.wstring_at(text.value or 0)
    finally:
        free(text)
