"""Job objects: kill a process together with everything that it started."""

from __future__ import annotations

import ctypes
from ctypes import c_int32 as integer
from ctypes import c_uint32 as dword
from ctypes import c_void_p

from codex_sandbox_windows.windows.api import JobLimits, check, close_handle, kernel32

_EXTENDED_LIMITS, _KILL_ON_CLOSE = 9, 0x2000


class Job:
    """A job object that kills its processes when it is closed."""

    def __init__(self) -> None:
        create = kernel32("CreateJobObjectW", c_void_p, c_void_p, result=c_void_p)
        self._handle: int | None = int(check("make a job", create(None, None)))
        limits = JobLimits(flags=_KILL_ON_CLOSE)
        apply = kernel32("SetInformationJobObject", c_void_p, integer, c_void_p, dword)
        size = ctypes.sizeof(limits)
        try:
            check("set up the job", apply(self._handle, _EXTENDED_LIMITS, ctypes.byref(limits), size))
        except OSError:
            self.close()
            raise

    def add(self, process: int) -> None:
        """Put a process into the job.

        :raises OSError: when it can't be.
        """
        check(
            "put the process into a job",
            kernel32("AssignProcessToJobObject", c_void_p, c_void_p)(self._handle, process),
        )

    def terminate(self, exit_code: int) -> None:
        """Kill all its processes."""
        if self._handle is not None:
            kernel32("TerminateJobObject", c_void_p, dword)(self._handle, exit_code)

    def close(self) -> None:
        """Close the job, which kills its remaining processes."""
        close_handle(self._handle)
        self._handle = None
