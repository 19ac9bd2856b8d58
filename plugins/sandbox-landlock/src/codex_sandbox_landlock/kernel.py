"""Probe once per process what the kernel can restrict."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache

from codex_hookspecs import frozen

_PROBE_SECONDS = 10.0
APPLY = (sys.executable, "-I", "-S", os.path.join(os.path.dirname(os.path.abspath(__file__)), "apply.py"))
"""Command line that starts ``apply.py``."""


@frozen
class Kernel:
    """What the running kernel offers to this user.

    :param abi: ABI version of Landlock, 0 if there is none.
    :param no_namespaces: why namespaces can't be created; empty when they can.
    """

    abi: int
    no_namespaces: str = ""


@cache
def kernel() -> Kernel:
    """Probe the kernel in a child process; if that fails, report that nothing can be restricted."""
    try:
        done = subprocess.run(
            [*APPLY, "probe"],
            capture_output=True,
            text=True,
            timeout=_PROBE_SECONDS,
            check=True,
            stdin=subprocess.DEVNULL,
        )
        abi, problem = done.stdout.splitlines()
        return Kernel(int(abi), "" if problem == "-" else problem)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        return Kernel(0, str(error))
