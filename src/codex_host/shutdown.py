"""Run cleanup functions, each with a time limit, isolated from each other's failures."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING

from codex_host.plugins.tasks import run_task

if TYPE_CHECKING:
    from codex_hookspecs.ports.host import Host

CLOSE_LIMIT = 10.0
"""Time limit in seconds for each cleanup."""
CLEANUP_LIMIT = 3.0
"""Time limit in seconds for a plugin's cleanup when a thread ends, which delays the exit."""


async def close_all(
    host: Host, what: str, closers: Iterable[Callable[[], Awaitable[None]]], *, seconds: float = CLOSE_LIMIT
) -> None:
    """Call every cleanup function with a time limit; a failure is logged and does not affect the others.

    :param what: owner of the functions, for the log.
    :param seconds: the time limit.
    """
    for close in closers:
        try:
            await run_task(close, limit=seconds)
        except Exception as error:
            host.logger("host").warning("%s: clean-up failed: %s", what, error, exc_info=True)
