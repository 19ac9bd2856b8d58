"""Keep standard input and output of the program for a protocol."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import NamedTuple


class PrivateStreams(NamedTuple):
    """Descriptors that neither plugins nor child processes know of.

    :param stdin: what was descriptor 0.
    :param stdout: what was descriptor 1.
    """

    stdin: int
    stdout: int


@contextmanager
def private_streams() -> Iterator[PrivateStreams]:
    """Take standard input and output for oneself.

    Meanwhile descriptor 0 is at its end, and what anybody writes to descriptor 1, or prints, goes to standard error.
    """
    sys.stdout.flush()
    kept = PrivateStreams(os.dup(0), os.dup(1))  # Children do not get these.
    try:
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)
        os.dup2(2, 1)
        with redirect_stdout(sys.stderr):
            yield kept
    finally:
        for number, descriptor in enumerate(kept):
            os.dup2(descriptor, number)
            os.close(descriptor)
