"""Exit the program within a time limit, whatever threads, tasks or exit handlers plugins have left."""

from __future__ import annotations

import _thread
import atexit
import os
import sys
import time

TYPE_CHECKING = False  # this module is imported on every start
if TYPE_CHECKING:
    import signal as _signal
    from collections.abc import Callable
else:
    import _signal  # ``signal`` itself is slow to import.

LIMIT = 4.0
"""Seconds from the end of the work to the exit of the process."""

_CAN_BLOCK = hasattr(_signal, "pthread_sigmask")


def start_thread(function: Callable[[], object]) -> None:
    """Call a function in a daemon thread that no signal is delivered to, if the system allows another thread.

    A command that waits for signals on the main thread would miss those delivered to another one.
    """
    before = _signal.pthread_sigmask(_signal.SIG_BLOCK, _signal.valid_signals()) if _CAN_BLOCK else set()
    try:
        _thread.start_new_thread(function, ())
    except RuntimeError:
        return
    finally:
        if _CAN_BLOCK:
            _signal.pthread_sigmask(_signal.SIG_SETMASK, before)


class Ending:
    """The exit of this process.

    :ivar status: its exit status.
    """

    def __init__(self) -> None:
        self.status = 1
        self._pid = 0
        self._begun = False

    def install(self) -> None:
        """Register for the exit of the process; must be called before any other exit handler is registered."""
        self._pid = os.getpid()
        atexit.register(self._last)

    def begin(self, status: int) -> None:
        """Start the time limit of the exit; the work is done."""
        if not self._pid:
            return
        self.status = status
        if not self._begun:
            self._begun = True
            start_thread(self._end)

    def flush(self) -> None:
        """Flush buffered output; the status becomes 1 if it can't be written."""
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
            except (AttributeError, ValueError):  # It was closed or replaced.
                pass

    def _end(self) -> None:
        time.sleep(LIMIT)
        try:
            from codex_host.process.places import report_running_code

            report_running_code("the program exits without waiting longer")
        finally:
            os._exit(self.status)

    def _last(self) -> None:
        """End the process, after all other exit handlers have run."""
        if os.getpid() == self._pid:  # not in a process that a plugin has forked
            self.flush()
            os._exit(self.status)


def drop_output() -> None:
    """Discard everything still to be written to standard output."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)


ENDING = Ending()
"""The exit of this process."""
