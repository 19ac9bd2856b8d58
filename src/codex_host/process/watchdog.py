"""Report plugin code that blocks the event loop, from a watchdog thread."""

from __future__ import annotations

import _thread
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from codex_host.process.ending import start_thread
from codex_host.process.signals import SIGNALS

if TYPE_CHECKING:
    import asyncio
    from types import FrameType

    from codex_host.process.places import Place

PAUSE = 2.0
"""Seconds between two samples."""
LOOKS = 5
"""Consecutive samples with the same call executing, or the event loop not responding, that are reported."""


class Watchdog:
    """Samples the main thread periodically, without waking it while it is idle.

    :ivar warn: called with the report on the event loop, once it runs again.
    """

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop | None = None
        self.warn: Callable[[str], None] | None = None
        self._main = 0
        self._waiting = False
        self._reported: list[str] = []

    def start(self) -> None:
        """Start watching the calling thread."""
        self._main = _thread.get_ident()
        start_thread(self._watch)

    def stop(self) -> None:
        """Stop watching the event loop."""
        self.loop = self.warn = None
        self._waiting = False

    def _watch(self) -> None:
        stuck, call = 0, 0
        while True:
            time.sleep(PAUSE)
            frame = sys._current_frames().get(self._main)
            if self.loop is not None:
                stuck = stuck + 1 if self._waiting else 0
                if not stuck and (SIGNALS.replaced or not _is_idle(frame)):
                    self._ask(self.loop)
                if stuck != LOOKS:
                    continue
                place = _place(frame)
            else:
                place = _place(frame)
                stuck = stuck + 1 if place is not None and place.call == call else 0
                call = place.call if place is not None else 0
                if stuck != LOOKS:
                    continue
            self._report(place, frame)

    def _ask(self, loop: asyncio.AbstractEventLoop) -> None:
        self._waiting = True
        try:
            loop.call_soon_threadsafe(self._answer)
        except RuntimeError:  # The loop was closed.
            self._waiting = False

    def _answer(self) -> None:
        self._waiting = False
        replaced = SIGNALS.restore()
        if replaced is not None:
            self._reported.append(replaced)
        while self._reported:
            text = self._reported.pop(0)
            if self.warn is not None:
                self.warn(text)

    def _report(self, place: Place | None, frame: FrameType | None) -> None:
        from codex_host.process.places import write_stderr

        seconds = f"{PAUSE * LOOKS:g} s"
        if place is not None:
            text = f"plugin {place.plugin}: {place.function} has blocked the event loop for {seconds}, at {place}"
        elif frame is not None:
            where = f"{frame.f_code.co_filename}:{frame.f_lineno}"
            text = f"the event loop has been blocked for {seconds} by the code at {where}"
        else:
            return
        self._reported.append(text)
        write_stderr(f"Warning: {text}")


def _is_idle(frame: FrameType | None) -> bool:
    return frame is not None and frame.f_globals.get("__name__") == "selectors"


def _place(frame: FrameType | None) -> Place | None:
    from codex_host.process.places import on_stack

    return on_stack(frame)


WATCHDOG = Watchdog()
"""The watchdog of this process."""
