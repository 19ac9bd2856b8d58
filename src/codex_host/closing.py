"""Close what is open, whatever happens on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from codex_hookspecs.ports.host import Host

CLOSE_LIMIT = 10.0
"""Seconds that each clean-up may take."""


async def close_all(
    host: Host, what: str, closers: Iterable[Callable[[], Awaitable[None]]], *, seconds: float = CLOSE_LIMIT
) -> None:
    """Call every closer, each under a time limit; a failure is logged and keeps none of the others.

    :param what: whose they are, for the log.
    :param seconds: the limit of each.
    """
    for close in closers:
        try:
            async with asyncio.timeout(seconds):
                await close()
        except Exception:
            host.logger("host").warning("%s: clean-up failed", what, exc_info=True)
