"""Name the pipes of a runner and say who may open them."""

from __future__ import annotations

import os

_PREFIX = r"\\.\pipe\codex-runner-"


def pipe_names() -> tuple[str, str]:
    """Return fresh names: the one that the parent writes to, and the one it reads from."""
    token = os.urandom(16).hex()
    return f"{_PREFIX}{token}-in", f"{_PREFIX}{token}-out"


def pipe_access(user_sid: str) -> str:
    """Return a security descriptor (SDDL) that lets one user do everything and nobody else anything."""
    return f"D:(A;;GA;;;{user_sid})"


def runner_arguments(pipe_in: str, pipe_out: str) -> list[str]:
    """Return what the runner is given."""
    return [f"--pipe-in={pipe_in}", f"--pipe-out={pipe_out}"]
