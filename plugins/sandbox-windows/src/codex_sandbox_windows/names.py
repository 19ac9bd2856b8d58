"""Names and access rights of a runner's pipes."""

from __future__ import annotations

import os

_PREFIX = r"\\.\pipe\codex-runner-"


def pipe_names() -> tuple[str, str]:
    """Return new random names of the pipe that the parent writes to and the one that it reads from."""
    token = os.urandom(16).hex()
    return f"{_PREFIX}{token}-in", f"{_PREFIX}{token}-out"


def pipe_access(user_sid: str) -> str:
    """Return a security descriptor (SDDL) that grants full access to one user and none to others."""
    return f"D:(A;;GA;;;{user_sid})"


def runner_arguments(pipe_in: str, pipe_out: str) -> list[str]:
    """Return the arguments of the runner."""
    return [f"--pipe-in={pipe_in}", f"--pipe-out={pipe_out}"]
