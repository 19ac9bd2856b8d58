"""Keep links from being replaced, then become a command. Imports nothing of ours: it runs inside, bare.

``COUNT LINK… COUNT NAME=VALUE… COMMAND`` covers each link with itself, which bwrap can't do: it follows them. A command
can't rename or remove what is covered, since it has no say in the mounts. The variables are those of the dynamic
loader, which must not mean anything to this program.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from ctypes import CDLL

_OF_ROOT = ("CAP_SYS_ADMIN", "CAP_SETPCAP")
_NEW_USERS, _NEW_MOUNTS = 0x10000000, 0x20000
_OPEN_TREE, _MOVE_MOUNT, _AT_FDCWD = 428, 429, -100
_CLONE, _CLOSE_ON_EXEC, _NOT_FOLLOWED, _FROM_DESCRIPTOR = 0x1, 0x80000, 0x100, 0x4
_DROP_BOUND, _AMBIENT, _CLEAR_ALL, _CAPABILITIES = 24, 47, 4, 0x20080522
_CANNOT_RUN = 126


def holding(
    links: tuple[str, ...], loading: dict[str, str], command: Sequence[str]
) -> tuple[list[str], dict[str, str]]:
    """Return what runs a command with links held, and which variables of the loader are left to be set for it."""
    with open(__file__, encoding="utf-8") as file:
        source = file.read()
    variables = [f"{name}={value}" for name, value in loading.items()]
    program = [os.path.realpath(sys.executable), "-I", "-S", "-c", source]
    return [*program, str(len(links)), *links, str(len(variables)), *variables, *command], {}


def needed_capabilities() -> tuple[str, ...]:
    """Return what holding links takes; others than root get it in a name space of their own, which root can't make."""
    return _OF_ROOT if os.geteuid() == 0 else ()


def main(words: list[str]) -> None:
    """Hold links and become the command; does not return."""
    links, words = _counted(words)
    variables, command = _counted(words)
    try:
        _hold(links)
    except OSError as error:
        _fail(f"the command was not run: bwrap could not keep a link as it is: {error}")
    for variable in variables:
        name, _, value = variable.partition("=")
        os.environ[name] = value
    try:
        os.execvp(command[0], command)  # noqa: S606
    except OSError as error:
        _fail(f"{command[0]}: {error.strerror}")


def _counted(words: list[str]) -> tuple[list[str], list[str]]:
    end = int(words[0]) + 1
    return words[1:end], words[end:]


def _hold(links: list[str]) -> None:
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    if os.geteuid() != 0:
        _enter_name_spaces(libc)
    for link in links:
        path = os.fsencode(link)
        tree = libc.syscall(_OPEN_TREE, _AT_FDCWD, path, _CLONE | _CLOSE_ON_EXEC | _NOT_FOLLOWED)
        _checked(tree, link)
        _checked(libc.syscall(_MOVE_MOUNT, tree, b"", _AT_FDCWD, path, _FROM_DESCRIPTOR), link)
        os.close(tree)
    _drop_capabilities(libc)


def _enter_name_spaces(libc: CDLL) -> None:
    user, group = os.geteuid(), os.getegid()
    _checked(libc.unshare(_NEW_USERS | _NEW_MOUNTS), "unshare")
    for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def _drop_capabilities(libc: CDLL) -> None:
    libc.prctl(_AMBIENT, _CLEAR_ALL, 0, 0, 0)
    for capability in range(64):
        if libc.prctl(_DROP_BOUND, capability, 0, 0, 0) < 0:
            break
    header = _CAPABILITIES.to_bytes(4, sys.byteorder) + bytes(4)
    _checked(libc.capset(header, bytes(24)), "capset")


def _checked(result: int, what: str) -> None:
    import ctypes

    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), what)


def _fail(text: str) -> None:
    sys.stderr.write(f"codex: {text}\n")
    sys.stderr.flush()
    os._exit(_CANNOT_RUN)


if __name__ == "__main__":
    main(sys.argv[1:])
