"""Words that attacks are written in."""

from __future__ import annotations

from typing import NamedTuple


class Attack(NamedTuple):
    policy: str
    script: str
    setup: str = ""
    left: str = "false"


def python(code: str) -> str:
    return f"\"$PYTHON\" -I -S - <<'END'\n{code}\nEND"


def ctypes_call(call: str, breach: str = "result >= 0") -> str:
    """Make a system call by number or a function of the C library."""
    return python(
        f"import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        f"result = {call}\nprint('BREACH' if {breach} else os.strerror(ctypes.get_errno()))"
    )


def sockets(code: str) -> str:
    return python(
        f"import os, socket\ntry:\n    {code}\n    print('BREACH')\nexcept OSError as error:\n    print(error)"
    )


def opened(path: str) -> str:
    return f"(: >> {path}) 2>/dev/null && echo BREACH"


def written(path: str) -> str:
    return f"echo evil > {path} 2>/dev/null && echo BREACH"
