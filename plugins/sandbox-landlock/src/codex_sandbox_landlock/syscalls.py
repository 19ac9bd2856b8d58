"""System calls that Python has no function for."""

from __future__ import annotations

import ctypes
import os
import sys

CREATE_RULESET, ADD_RULE, RESTRICT_SELF, CLOSE_RANGE = 444, 445, 446, 436
PDEATHSIG, SECCOMP, CAPBSET_DROP, NO_NEW_PRIVS, AMBIENT = 1, 22, 24, 38, 47
_OPEN_TREE, _OPEN_TREE_CLONE, _O_CLOEXEC, _AT_SYMLINK_NOFOLLOW = 428, 0x1, 0x80000, 0x100
_MOVE_MOUNT, _MOVE_MOUNT_F_EMPTY_PATH = 429, 0x4
_MOUNT_SETATTR, _AT_FDCWD, _AT_RECURSIVE, _RDONLY = 442, -100, 0x8000, 0x1

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
libc.prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
libc.mount.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p]


class StepFailed(Exception):
    """Raised when a system call fails; the command is not run then."""


def check(what: str, result: int) -> int:
    """Return the result of a system call.

    :param what: what the call does, for the error: "could not ...".
    :raises StepFailed: when the result is an error.
    """
    if result < 0:
        raise StepFailed(f"{what}: {os.strerror(ctypes.get_errno())}")
    return result


def mount(source: str | None, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    """Call ``mount``.

    :raises StepFailed: when it fails.
    """
    encoded = [None if text is None else os.fsencode(text) for text in (source, target, kind, options)]
    check(f"mount {target}", libc.mount(encoded[0], encoded[1], encoded[2], flags, encoded[3]))


def set_attributes(path: str, *, readonly: bool) -> None:
    """Make a tree of mounts read-only, or writable as far as the mounts permit."""
    change = (_RDONLY, 0) if readonly else (0, _RDONLY)
    attributes = b"".join(part.to_bytes(8, sys.byteorder) for part in (*change, 0, 0))
    size = ctypes.c_size_t(len(attributes))
    for flags in (_AT_RECURSIVE, 0):
        if libc.syscall(_MOUNT_SETATTR, _AT_FDCWD, os.fsencode(path), ctypes.c_uint(flags), attributes, size) == 0:
            return
        if readonly:
            raise StepFailed(f"make {path} read-only: {os.strerror(ctypes.get_errno())}")


def pin_link(path: str) -> None:
    """Bind-mount a symbolic link onto itself, so that it can be neither renamed nor removed.

    :raises StepFailed: when that fails.
    """
    name = os.fsencode(path)
    tree = libc.syscall(
        _OPEN_TREE, _AT_FDCWD, name, ctypes.c_uint(_OPEN_TREE_CLONE | _O_CLOEXEC | _AT_SYMLINK_NOFOLLOW)
    )
    check(f"protect the link {path}", tree)
    moved = libc.syscall(_MOVE_MOUNT, tree, b"", _AT_FDCWD, name, ctypes.c_uint(_MOVE_MOUNT_F_EMPTY_PATH))
    check(f"protect the link {path}", moved)
    os.close(tree)


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent exits."""
    check("set the parent-death signal", libc.prctl(PDEATHSIG, 9, 0, 0, 0))
