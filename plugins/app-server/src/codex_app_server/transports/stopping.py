"""What signals ask of a server that runs."""

from __future__ import annotations

import asyncio
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Stop:
    """What signals ask for.

    :param drains: whether the first signal is answered by waiting for running turns, for as long as they may take.
    :ivar drain: set by the first signal: accept no more clients, let running turns end.
    :ivar now: set by the second one.
    """

    def __init__(self, *, drains: bool) -> None:
        self.drain = asyncio.Event()
        self.now = asyncio.Event()
        self._drains = drains

    def signal(self) -> bool:
        """Note a signal; return whether the program may take its time to end."""
        (self.now if self.drain.is_set() else self.drain).set()
        return self._drains


@contextmanager
def stop_at_signals(*, drains: bool) -> Iterator[Stop]:
    """Handle signals while a server runs.

    :param drains: whether the first one is answered by waiting for running turns.
    """
    stop, loop = Stop(drains=drains), asyncio.get_running_loop()
    for number in SIGNALS:
        loop.add_signal_handler(number, stop.signal)
    try:
        yield stop
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)
