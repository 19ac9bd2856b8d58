"""Guess from status and output whether a command failed because of its sandbox (heuristic of Codex 0.118)."""

from __future__ import annotations

_MARKS = (
    "operation not permitted",
    "permission denied",
    "read-only file system",
    "seccomp",
    "sandbox",
    "landlock",
    "failed to write file",
)
_OTHER_FAILURES = (2, 126, 127)
_SIGSYS = 128 + 31


def looks_denied(exit_code: int, output: str, *, linux: bool = True) -> bool:
    """Tell whether a sandboxed command looks as if the sandbox made it fail.

    :param output: all that it wrote.
    :param linux: a forbidden system call kills the process, as on Linux.
    """
    if exit_code == 0:
        return False
    lowered = output.lower()
    if any(mark in lowered for mark in _MARKS):
        return True
    return exit_code not in _OTHER_FAILURES and linux and exit_code == _SIGSYS
