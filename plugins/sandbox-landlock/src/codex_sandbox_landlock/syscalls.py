"""Call the kernel where Python has no function for it."""

from __future__ import annotations

import ctypes
import os
import sys

CREATE_RULESET, ADD_RULE, RESTRICT_SELF, CLOSE_RANGE = 444, 445, 446, 436
PDEATHSIG, SECCOMP, CAPBSET_DROP, NO_NEW_PRIVS, AMBIENT = 1, 22, 24, 38, 47
_OPEN_TREE, _MOVE_MOUNT, _CLONE, _CLOSE_ON_EXEC, _NOT_FOLLOWED, _FROM_DESCRIPTOR = 428, 429, 0x1, 0x80000, 0x100, 0x4
_MOUNT_SETATTR, _AT_FDCWD, _AT_RECURSIVE, _RDONLY = 442, -100, 0x8000, 0x1

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
libc.prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
libc.mount.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p]


class Failed(Exception):
    """Raised when a step is not possible; nothing is run then."""


def checked(what: str, result: int) -> int:
    """Return the result of a call.

    :raises Failed: when it is an error.
    """
    if result < 0:
        raise Failed(f"{what}: {os.strerror(ctypes.get_errno())}")
    return result


def mount(source: str | None, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    """Mount something.

    :raises Failed: when it can't be.
    """
    encoded = [None if text is None else os.fsencode(text) for text in (source, target, kind, options)]
    checked(f"mount {target}", libc.mount(encoded[0], encoded[1], encoded[2], flags, encoded[3]))


def set_attributes(path: str, *, readonly: bool) -> None:
    """Make a tree read-only, or writable as far as it was so outside."""
    change = (_RDONLY, 0) if readonly else (0, _RDONLY)
    attributes = b"".join(part.to_bytes(8, sys.byteorder) for part in (*change, 0, 0))
    size = ctypes.c_size_t(len(attributes))
    for flags in (_AT_RECURSIVE, 0):
        if libc.syscall(_MOUNT_SETATTR, _AT_FDCWD, os.fsencode(path), ctypes.c_uint(flags), attributes, size) == 0:
            return
        if readonly:
            raise Failed(f"make {path} read-only: {os.strerror(ctypes.get_errno())}")


def cover_link(path: str) -> None:
    """Cover a link with itself, so that it can be neither renamed nor removed.

    :raises Failed: when that can't be done.
    """
    name = os.fsencode(path)
    tree = libc.syscall(_OPEN_TREE, _AT_FDCWD, name, ctypes.c_uint(_CLONE | _CLOSE_ON_EXEC | _NOT_FOLLOWED))
    checked(f"keep the link {path} as it is", tree)
    moved = libc.syscall(_MOVE_MOUNT, tree, b"", _AT_FDCWD, name, ctypes.c_uint(_FROM_DESCRIPTOR))
    checked(f"keep the link {path} as it is", moved)
    os.close(tree)


def end_with_parent() -> None:
    """Have this process killed when its parent is gone."""
    checked("ask for the end with the parent", libc.prctl(PDEATHSIG, 9, 0, 0, 0))
