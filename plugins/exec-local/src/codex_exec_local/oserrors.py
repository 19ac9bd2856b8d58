"""Translate operating system errors into the texts that clients of the protocol expect."""

from __future__ import annotations

import os

from codex_hookspecs.errors import ExecError, FileSystemError


def os_text(error: OSError) -> str:
    """Return e.g. ``No such file or directory (os error 2)``."""
    if error.errno is None:
        return str(error)
    return f"{os.strerror(error.errno)} (os error {error.errno})"


def exec_error(error: OSError | ValueError) -> ExecError:
    """Return the exception for a failed launch."""
    if isinstance(error, OSError):
        return ExecError(os_text(error))
    if "null" in str(error):
        return ExecError("nul byte found in provided data")
    return ExecError(str(error))


def file_error(error: OSError, path: str) -> FileSystemError:
    """Return the exception for a failed file operation."""
    return FileSystemError(os_text(error), path=path, errno=error.errno)
