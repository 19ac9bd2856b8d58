"""Close what is open, whatever happens on the way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING

from codex_host.plugins.tasks import run_task

if TYPE_CHECKING:
    from codex_hookspecs.ports.host import Host

CLOSE_LIMIT = 10.0
"""Seconds that each clean-up may take."""
CLEANUP_LIMIT = 3.0
"""Seconds that one of a plugin may take when a thread ends; somebody waits for the program's end then."""


async def close_all(
    host: Host, what: str, closers: Iterable[Callable[[], Awaitable[None]]], *, seconds: float = CLOSE_LIMIT
) -> None:
    """Call every closer, each under a time limit; a failure is logged and keeps none of the others.

    :param what: whose they are, for the log.
    :param seconds: the limit of each.
    """
    for close in closers:
        try:
            await run_task(close, limit=seconds)
        except Exception as error:
            host.logger("host").warning("%s: clean-up failed: %s", what, error, exc_info=True)
