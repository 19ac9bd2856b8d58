"""Errors of ``codex exec``."""

from __future__ import annotations

import os


class ExecError(Exception):
    """Raised when the command fails; the text is shown to the user.

    :param status: exit status.
    """

    def __init__(self, message: str, *, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


def os_text(error: OSError) -> str:
    """Return the text of an operating system error in the format of Codex."""
    return f"{os.strerror(error.errno)} (os error {error.errno})" if error.errno else str(error)
