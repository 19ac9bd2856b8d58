"""Answer SIGINT, SIGTERM and SIGHUP from the first moment of the program to its last.

The first one ends the work in good order, or interrupts what runs where a command has asked the event loop for it.
Every further one leaves less time. When the time is over the program ends, whatever the code of plugins does meanwhile.
"""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False  # this module is part of every start
if TYPE_CHECKING:
    import asyncio
    import signal as _signal
    from collections.abc import Callable
    from types import FrameType
    from typing import Any
else:
    import _signal  # All of it that is needed here, without making enumerations first.

FIRST_LIMIT = 5.0
"""Seconds in which the program ends, or at least its event loop hears of it, after the first signal."""
EARLY_LIMIT = 2.0
"""The same before there is an event loop: nothing is to be cleared up then."""
SECOND_LIMIT = 2.0
LAST_LIMIT = 0.3
"""Seconds after the third signal; enough for what has begun to remove its temporary file."""
_LOOK = 0.05
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")


class Signals:
    """The signals of this process.

    :ivar received: how many there were.
    :ivar number: the last one, 0 when there was none.
    :ivar raises: a signal may raise :exc:`KeyboardInterrupt` in the main thread.
    """

    def __init__(self) -> None:
        self.received = 0
        self.number = 0
        self.raises = False
        self._known = {getattr(_signal, name) for name in _NAMES if hasattr(_signal, name)}
        self._handled: set[int] = set()
        self._answers: dict[int, Callable[[], object]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None
        self._pid = 0
        self._deadline = 0.0
        self._heard = False

    @property
    def installed(self) -> bool:
        """Whether the signals of this process are handled here."""
        return self._pid != 0

    @property
    def replaced(self) -> list[int]:
        """Signals whose handlers somebody has replaced; may be asked from any thread."""
        return [number for number in self._handled if _signal.getsignal(number) != self._handle]

    @property
    def status(self) -> int:
        """Exit status of a program that a signal has ended."""
        return 128 + (self.number or int(_signal.SIGINT))

    def install(self) -> None:
        """Handle the signals from now on; what was ignored at the start stays ignored."""
        self._pid = os.getpid()
        for number in self._known:
            if _signal.getsignal(number) != _signal.SIG_IGN:
                self._handled.add(number)
                _signal.signal(number, self._handle)
        sys.unraisablehook = self._hide_interrupts
        if hasattr(_signal, "pthread_sigmask"):
            _signal.pthread_sigmask(_signal.SIG_UNBLOCK, (_signal.SIGINT,))  # It may have waited for this moment.

    def check(self) -> None:
        """End the program if it was told to, and code on the way has kept that to itself.

        :raises KeyboardInterrupt: when there was a signal.
        """
        if self.received:
            raise KeyboardInterrupt

    def interrupted(self, error: BaseException) -> bool:
        """Tell whether an error is an interruption of the program, and not one that a plugin has made up."""
        return isinstance(error, KeyboardInterrupt) and (not self.installed or self.received > 0)

    def restore(self) -> str | None:
        """Put the handlers back where a plugin has replaced them; to be called on the main thread.

        :return: a warning, or ``None``.
        """
        lost = self.replaced
        for number in lost:
            _signal.signal(number, self._handle)
        names = ", ".join(name for name in _NAMES if getattr(_signal, name, None) in lost)
        return f"a plugin has replaced the program's answer to {names}; it was put back" if lost else None

    def attach(self, loop: asyncio.AbstractEventLoop, task: asyncio.Task[Any]) -> None:
        """Cancel a task from now on, unless the loop knows better what to do."""
        self._loop, self._task = loop, task

    def detach(self) -> None:
        """Forget the loop and its task."""
        self._loop = self._task = None

    def take(self, number: int, answer: Callable[[], object]) -> bool:
        """Have the event loop call a function when a signal comes, and look after what becomes of it.

        :return: false when the signal is none of those that end the program.
        """
        if not self._pid or number not in self._known:
            return False
        if number in self._handled or number == _signal.SIGINT:  # SIGHUP stays ignored where somebody wants it so
            self._handled.add(number)
            self._answers[number] = answer
            _signal.signal(number, self._handle)
        return True

    def give_back(self, number: int) -> bool:
        """Undo :meth:`take`; return whether there was anything to undo."""
        return self._answers.pop(number, None) is not None

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if os.getpid() != self._pid:  # A copy of the program that a plugin has forked ends as any process does.
            _signal.signal(number, _signal.SIG_DFL)
            os.kill(os.getpid(), number)
            return
        self.received += 1
        self.number = number
        self._limit()
        if self._loop is not None:
            if self.received == 1 and number == _signal.SIGINT and number in self._answers:
                self._loop.call_soon_threadsafe(self._hear)
            if number in self._answers:
                self._loop.call_soon_threadsafe(self._answers[number])
            elif self._task is not None:
                self._loop.call_soon_threadsafe(self._task.cancel)
        elif self.raises and self.received == 1:
            self.raises = False
            raise KeyboardInterrupt

    def _hear(self) -> None:
        """Note that the event loop lives: whoever has asked for the signal decides now how long it takes."""
        self._heard = self.received == 1

    def _limit(self) -> None:
        if self.received == 1:
            seconds = EARLY_LIMIT if self._loop is None else FIRST_LIMIT
        else:
            self._heard = False
            seconds = SECOND_LIMIT if self.received == 2 else LAST_LIMIT
        deadline = time.monotonic() + seconds
        if not self._deadline:
            self._deadline = deadline
            from codex_host.process.ending import start_thread

            start_thread(self._end)
        elif self.received > 1:
            self._deadline = min(self._deadline, deadline) if self._deadline > time.monotonic() else deadline

    def _end(self) -> None:
        while self._heard or time.monotonic() < self._deadline:
            time.sleep(_LOOK)
        try:
            from codex_host.process.places import tell_what_runs

            tell_what_runs("the program was told to end, but did not")
        finally:
            os._exit(self.status)

    def _hide_interrupts(self, unraisable: Any) -> None:
        """Keep to ourselves what an interruption has torn in two."""
        if not self.received:
            sys.__unraisablehook__(unraisable)


SIGNALS = Signals()
"""Those of this process."""
