"""Handle SIGINT, SIGTERM and SIGHUP from the start of the program to its exit.

The first signal ends the work gracefully, or calls the handler that a command has added to the event loop. Every
further one shortens the time limit. When it expires, the process exits, whatever plugin code is doing.
"""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False  # this module is imported on every start
if TYPE_CHECKING:
    import asyncio
    import signal as _signal
    from collections.abc import Callable
    from types import FrameType
    from typing import Any
else:
    import _signal  # Everything needed here, without the enumerations of ``signal``, which are slow to build.

FIRST_LIMIT = 5.0
"""Seconds after the first signal in which the program must exit, or its event loop acknowledge the signal."""
EARLY_LIMIT = 2.0
"""The same before there is an event loop, when there is nothing to clean up."""
SECOND_LIMIT = 2.0
LAST_LIMIT = 0.3
"""Seconds after the third signal, enough for a started cleanup to remove temporary files."""
_LOOK = 0.05
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")


class Signals:
    """Signal handling of this process.

    :ivar received: number of signals received.
    :ivar number: the last signal, 0 if none.
    :ivar raises: whether a signal raises :exc:`KeyboardInterrupt` in the main thread.
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
        """Signals whose handlers were replaced by other code; safe to call from any thread."""
        return [number for number in self._handled if _signal.getsignal(number) != self._handle]

    @property
    def status(self) -> int:
        """Exit status after a signal."""
        return 128 + (self.number or int(_signal.SIGINT))

    def install(self) -> None:
        """Install the handlers; signals that were ignored at the start stay ignored."""
        self._pid = os.getpid()
        for number in self._known:
            if _signal.getsignal(number) != _signal.SIG_IGN:
                self._handled.add(number)
                _signal.signal(number, self._handle)
        sys.unraisablehook = self._hide_interrupts
        if hasattr(_signal, "pthread_sigmask"):
            _signal.pthread_sigmask(_signal.SIG_UNBLOCK, (_signal.SIGINT,))  # It may have been blocked and pending.

    def check(self) -> None:
        """Raise an interrupt that other code has swallowed.

        :raises KeyboardInterrupt: when a signal was received.
        """
        if self.received:
            raise KeyboardInterrupt

    def is_interrupt(self, error: BaseException) -> bool:
        """Return whether an error stems from a signal, as opposed to a ``KeyboardInterrupt`` raised by a plugin."""
        return isinstance(error, KeyboardInterrupt) and (not self.installed or self.received > 0)

    def restore(self) -> str | None:
        """Restore handlers that a plugin has replaced; must be called on the main thread.

        :return: a warning, or ``None``.
        """
        lost = self.replaced
        for number in lost:
            _signal.signal(number, self._handle)
        names = ", ".join(name for name in _NAMES if getattr(_signal, name, None) in lost)
        return f"a plugin has replaced the program's handler of {names}; it was restored" if lost else None

    def attach(self, loop: asyncio.AbstractEventLoop, task: asyncio.Task[Any]) -> None:
        """From now on cancel a task on a signal, unless the loop has a handler of its own."""
        self._loop, self._task = loop, task

    def detach(self) -> None:
        """Forget the loop and its task."""
        self._loop = self._task = None

    def register(self, number: int, answer: Callable[[], object]) -> bool:
        """Have the event loop call a function on a signal, and supervise that it takes effect.

        :return: whether the signal is one that ends the program.
        """
        if not self._pid or number not in self._known:
            return False
        if number in self._handled or number == _signal.SIGINT:  # SIGHUP stays ignored under nohup
            self._handled.add(number)
            self._answers[number] = answer
            _signal.signal(number, self._handle)
        return True

    def unregister(self, number: int) -> bool:
        """Undo :meth:`register`; return whether a function was registered."""
        return self._answers.pop(number, None) is not None

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if os.getpid() != self._pid:  # A process that a plugin has forked ends by the default action.
            _signal.signal(number, _signal.SIG_DFL)
            os.kill(os.getpid(), number)
            return
        self.received += 1
        self.number = number
        self._limit()
        if self._loop is not None:
            if self.received == 1 and number == _signal.SIGINT and number in self._answers:
                self._loop.call_soon_threadsafe(self._acknowledge)
            if number in self._answers:
                self._loop.call_soon_threadsafe(self._answer, number)
            elif self._task is not None:
                self._loop.call_soon_threadsafe(self._task.cancel)
        elif self.raises and self.received == 1:
            self.raises = False
            raise KeyboardInterrupt

    def _answer(self, number: int) -> None:
        """Call the function that is registered; one that returns ``True`` needs time, which it bounds itself."""
        answer = self._answers.get(number)
        if answer is None or answer() is not True:
            return
        if self.received == 2:
            self._deadline = max(self._deadline, time.monotonic() + FIRST_LIMIT)
        self._acknowledge()

    def _acknowledge(self) -> None:
        """Note that the event loop has reacted: the registered function now decides how long the exit takes."""
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
            from codex_host.process.places import report_running_code

            report_running_code("the program was signalled to exit, but did not")
        finally:
            os._exit(self.status)

    def _hide_interrupts(self, unraisable: Any) -> None:
        """Suppress reports of unraisable errors that are caused by an interrupt."""
        if not self.received:
            sys.__unraisablehook__(unraisable)


SIGNALS = Signals()
"""Signal handling of this process."""
