"""End the program within a bound, whatever plugins have left: threads, tasks, functions to be called at the exit."""

from __future__ import annotations

import _thread
import atexit
import os
import sys
import time

TYPE_CHECKING = False  # this module is part of every start
if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT = 4.0
"""Seconds from the end of the work to that of the program."""


def start_thread(function: Callable[[], object]) -> None:
    """Have a function called in a thread of its own, if the system lets us have one."""
    try:
        _thread.start_new_thread(function, ())
    except RuntimeError:
        return


class Ending:
    """The end of this process.

    :ivar status: its exit status.
    """

    def __init__(self) -> None:
        self.status = 1
        self._pid = 0
        self._begun = False

    def install(self) -> None:
        """Have the process end here; to be called before anything else registers a function for the exit."""
        self._pid = os.getpid()
        atexit.register(self._last)

    def begin(self, status: int) -> None:
        """Say that the work is done: from now on the program has a few seconds."""
        if not self._pid:
            return
        self.status = status
        if not self._begun:
            self._begun = True
            start_thread(self._end)

    def flush(self) -> None:
        """Write what is still buffered; output that nobody takes makes the status 1."""
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except BrokenPipeError:
                self.status = self.status or 1
                drop_output()
            except OSError as error:
                self.status = self.status or 1
                if stream is sys.stdout:
                    os.write(2, f"Error: writing to standard output: {error.strerror}\n".encode())
                    drop_output()
            except (AttributeError, ValueError):  # Somebody has closed it, or taken it away.
                pass

    def _end(self) -> None:
        time.sleep(LIMIT)
        try:
            from codex_host.process.places import tell_what_runs

            tell_what_runs("the program ends without waiting any longer")
        finally:
            os._exit(self.status)

    def _last(self) -> None:
        """End the process; everything that wanted to do something before is done."""
        if os.getpid() == self._pid:  # which is not so in a copy that a plugin has forked
            self.flush()
            os._exit(self.status)


def drop_output() -> None:
    """Let everything that is still to be written to standard output go nowhere."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)


ENDING = Ending()
"""That of this process."""
