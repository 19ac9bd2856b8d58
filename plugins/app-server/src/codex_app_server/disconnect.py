"""Functions that are called when a client has disconnected."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from logging import Logger

_SECONDS: Final = 5.0
"""Time limit of each function."""


class DisconnectCallbacks:
    """The functions to call, by number of the connection.

    :param log: logs failures.
    """

    def __init__(self, log: Logger) -> None:
        self._log = log
        self._callbacks: dict[int, list[Callable[[], Awaitable[None]]]] = {}

    def add(self, number: int, callback: Callable[[], Awaitable[None]]) -> None:
        """Add a function for a connection."""
        self._callbacks.setdefault(number, []).append(callback)

    async def run(self, number: int) -> None:
        """Call the functions of a connection, all at the same time, and forget them."""
        await asyncio.gather(*(self._call(callback) for callback in self._callbacks.pop(number, ())))

    async def _call(self, callback: Callable[[], Awaitable[None]]) -> None:
        try:
            async with asyncio.timeout(_SECONDS):
                await callback()
        except Exception:
            self._log.exception("releasing what belonged to a disconnected client failed")
