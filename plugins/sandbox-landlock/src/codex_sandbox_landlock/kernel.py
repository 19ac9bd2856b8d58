"""Find out, once for each run of the program, what the kernel can hold back."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache

from codex_hookspecs import frozen

_SECONDS = 10.0
APPLY = (sys.executable, "-I", "-S", os.path.join(os.path.dirname(os.path.abspath(__file__)), "apply.py"))
"""How the program is started that puts itself under a policy."""


@frozen
class Kernel:
    """What the running kernel lets this user do.

    :param abi: version of Landlock, 0 without it.
    :param no_namespaces: why user and mount namespaces can't be had; empty when they can.
    """

    abi: int
    no_namespaces: str = ""


@cache
def kernel() -> Kernel:
    """Ask the kernel, in a child process; when that fails, nothing can be held."""
    try:
        done = subprocess.run(
            [*APPLY, "probe"], capture_output=True, text=True, timeout=_SECONDS, check=True, stdin=subprocess.DEVNULL
        )
        abi, problem = done.stdout.splitlines()
        return Kernel(int(abi), "" if problem == "-" else problem)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        return Kernel(0, str(error))
