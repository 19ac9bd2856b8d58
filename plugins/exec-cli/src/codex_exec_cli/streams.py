"""Write to standard output and standard error, even if they are non-blocking or closed."""

from __future__ import annotations

import errno
import os
import select


class Stream:
    """Standard output or standard error.

    :param lossy: errors are ignored (for standard error).
    """

    def __init__(self, descriptor: int, *, lossy: bool) -> None:
        self._descriptor = descriptor
        self._lossy = lossy

    @property
    def terminal(self) -> bool:
        """Whether it is a terminal."""
        return os.isatty(self._descriptor)

    def write(self, text: str) -> None:
        """Write text completely; does nothing if the descriptor is closed.

        :raises BrokenPipeError: when the reader of standard output is gone.
        :raises OSError: when standard output can't be written, e.g. on a full disk.
        """
        rest = memoryview(text.encode("utf-8", "replace"))
        while rest:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:
                # The pipe may be non-blocking because a process that shares it has made it so.
                select.select([], [self._descriptor], [])
            except OSError as error:
                if self._lossy or error.errno == errno.EBADF:
                    return
                raise

    def line(self, text: str) -> None:
        """Write text and a line end."""
        self.write(f"{text}\n")
