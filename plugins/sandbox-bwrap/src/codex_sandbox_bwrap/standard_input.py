"""Keep a command from writing to the file that it gets as stdin.

``/proc/self/fd/0`` leads to the file itself and bypasses read-only mounts: with write permission on the file, a command
could reopen it for writing.
"""

from __future__ import annotations

import fcntl
import os
import stat

_ADD_SEALS, _ALL_SEALS = 1033, 0xF
_MAX_COPY_BYTES = 64 * 1024 * 1024
_CHUNK_BYTES = 1 << 20


def shield_input() -> None:
    """If stdin is a file that is open for reading only, replace it by a copy of its content."""
    try:
        found = os.fstat(0)
        reading = fcntl.fcntl(0, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY
    except OSError:
        return
    if not stat.S_ISREG(found.st_mode) or not reading or not os.access("/proc/self/fd/0", os.W_OK):
        return
    shield = (
        _copy_to_memory() if found.st_size - os.lseek(0, 0, os.SEEK_CUR) <= _MAX_COPY_BYTES else _copy_through_pipe()
    )
    os.dup2(shield, 0)
    os.close(shield)


def _copy_to_memory() -> int:
    """Return a descriptor of a sealed in-memory copy of stdin, from its current position."""
    copy = os.memfd_create("stdin", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    while data := os.read(0, _CHUNK_BYTES):
        os.write(copy, data)
    os.lseek(copy, 0, os.SEEK_SET)
    fcntl.fcntl(copy, _ADD_SEALS, _ALL_SEALS)
    return copy


def _copy_through_pipe() -> int:
    """Return the reading end of a pipe that a forked process writes stdin to."""
    reader, writer = os.pipe()
    if os.fork() == 0:
        try:
            os.close(reader)
            while data := os.read(0, _CHUNK_BYTES):
                while data:
                    data = data[os.write(writer, data) :]
        finally:
            os._exit(0)
    os.close(writer)
    return reader
