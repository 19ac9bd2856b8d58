"""Errors of ``codex exec``."""

from __future__ import annotations

import os
from collections.abc import Awaitable
from typing import TypeVar

from codex_hookspecs.errors import RpcError

T = TypeVar("T")


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


async def await_response(answer: Awaitable[T]) -> T:
    """Return the answer of the app-server.

    :raises ExecError: when it refuses.
    """
    try:
        return await answer
    except RpcError as error:
        raise ExecError(f"Error: {error.message}") from error
