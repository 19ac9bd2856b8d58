"""Write to standard output and error as bytes, whole, whatever state the descriptors are in."""

from __future__ import annotations

import errno
import os
import select


class Stream:
    """One of the two.

    :param lossy: a reader that went away is no reason to stop (standard error).
    """

    def __init__(self, descriptor: int, *, lossy: bool) -> None:
        self._descriptor = descriptor
        self._lossy = lossy

    @property
    def terminal(self) -> bool:
        """Whether people look at it directly."""
        return os.isatty(self._descriptor)

    def write(self, text: str) -> None:
        """Write text; into a closed descriptor it goes nowhere.

        :raises BrokenPipeError: when the reader of standard output is gone.
        :raises OSError: when standard output takes no more, e.g. on a full disk.
        """
        rest = memoryview(text.encode("utf-8", "replace"))
        while rest:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:
                # A parent may have made the shared pipe non-blocking.
                select.select([], [self._descriptor], [])
            except OSError as error:
                if self._lossy or error.errno == errno.EBADF:
                    return
                raise

    def line(self, text: str) -> None:
        """Write text and a line end."""
        self.write(f"{text}\n")
