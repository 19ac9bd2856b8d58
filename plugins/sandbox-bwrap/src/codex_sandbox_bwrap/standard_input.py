"""Keep a command from writing the file that it is given to read.

``/proc/self/fd/0`` leads to the file itself, past all mounts that are read-only: who may write it by its name could
open it anew for writing.
"""

from __future__ import annotations

import fcntl
import os
import stat

_ADD_SEALS, _ALL_SEALS = 1033, 0xF
_COPIED_BYTES = 64 * 1024 * 1024
_BYTES = 1 << 20


def shield_input() -> None:
    """Put something else in the place of a file on stdin that is only open for reading: what is in it."""
    try:
        found = os.fstat(0)
        reading = fcntl.fcntl(0, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY
    except OSError:
        return
    if not stat.S_ISREG(found.st_mode) or not reading or not os.access("/proc/self/fd/0", os.W_OK):
        return
    shield = _copied() if found.st_size - os.lseek(0, 0, os.SEEK_CUR) <= _COPIED_BYTES else _piped()
    os.dup2(shield, 0)
    os.close(shield)


def _copied() -> int:
    """Return a descriptor of a copy that nobody can change, from where the file is read."""
    copy = os.memfd_create("stdin", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    while data := os.read(0, _BYTES):
        os.write(copy, data)
    os.lseek(copy, 0, os.SEEK_SET)
    fcntl.fcntl(copy, _ADD_SEALS, _ALL_SEALS)
    return copy


def _piped() -> int:
    """Return the end of a pipe that a process of its own passes the file through, until nobody reads it."""
    reader, writer = os.pipe()
    if os.fork() == 0:
        try:
            os.close(reader)
            while data := os.read(0, _BYTES):
                while data:
                    data = data[os.write(writer, data) :]
        finally:
            os._exit(0)
    os.close(writer)
    return reader
