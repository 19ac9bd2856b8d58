"""Resolve a command name to a program, as a shell does."""

from __future__ import annotations

import os

NOT_FOUND, NOT_EXECUTABLE = 127, 126


def find_command(name: str, search: str, cwd: str) -> str | int:
    """Return the path of a program, or the exit status with which a shell reports that it can't be run (127 or 126)."""
    if "/" in name:
        path = os.path.join(cwd, name)
        if not os.path.exists(path):
            return NOT_FOUND
        return path if _is_program(path) else NOT_EXECUTABLE
    for folder in search.split(os.pathsep):
        path = os.path.join(cwd, folder, name)
        if name and _is_program(path):
            return path
    return NOT_FOUND


def _is_program(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)
