"""Reserve standard input and output for a protocol."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import NamedTuple


class PrivateStreams(NamedTuple):
    """Duplicates of the standard descriptors, not inherited by child processes.

    :param stdin: duplicate of descriptor 0.
    :param stdout: duplicate of descriptor 1.
    """

    stdin: int
    stdout: int


@contextmanager
def private_streams() -> Iterator[PrivateStreams]:
    """Reserve standard input and output inside the context.

    Descriptor 0 then reads as empty, and everything written to descriptor 1 or printed goes to standard error.
    """
    sys.stdout.flush()
    kept = PrivateStreams(os.dup(0), os.dup(1))  # not inheritable
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
