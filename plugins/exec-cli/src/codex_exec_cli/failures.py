"""Say why a command can't be carried out."""

from __future__ import annotations

import os


class ExecError(Exception):
    """Raised when the command can't be carried out; the text is for people.

    :param status: exit status.
    """

    def __init__(self, message: str, *, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


def os_text(error: OSError) -> str:
    """Return an operating system error as the public program words it."""
    return f"{os.strerror(error.errno)} (os error {error.errno})" if error.errno else str(error)
