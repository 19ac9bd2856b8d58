"""Keep the standard file descriptors 0 to 2 valid."""

from __future__ import annotations

import os
import sys

_STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))


def open_missing() -> None:
    """Open the null device for closed standard descriptors, since a socket or file would get their numbers."""
    for number, (name, mode) in enumerate(_STREAMS):
        try:
            os.fstat(number)
        except OSError:
            try:
                opened = os.open(os.devnull, os.O_RDWR)
            except OSError:
                return
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            os.set_inheritable(number, True)
        if getattr(sys, name) is None:
            stream = os.fdopen(number, mode, encoding="utf-8", errors="backslashreplace", closefd=False)
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)


def output_to_stderr() -> _OutputToStderr:
    """Redirect standard output to standard error at the level of descriptors, inside the context."""
    return _OutputToStderr()


class _OutputToStderr:
    def __enter__(self) -> None:
        self._stream, sys.stdout = sys.stdout, sys.stderr
        try:
            self._kept = os.dup(1)
            os.dup2(2, 1)
        except OSError:
            self._kept = -1

    def __exit__(self, *_: object) -> None:
        sys.stdout = self._stream
        if self._kept >= 0:
            os.dup2(self._kept, 1)
            os.close(self._kept)
