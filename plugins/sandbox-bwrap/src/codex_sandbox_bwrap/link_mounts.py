"""Protect symbolic links from being replaced, then exec the command.

This file is also a program that runs inside the sandbox, in an interpreter without site-packages (``-I -S -c``), so it
must not import anything of this project. Its arguments are ``COUNT LINK… COUNT NAME=VALUE… COMMAND``.

Each link is bind-mounted onto itself. bwrap can't do that because it follows links. A command can't rename or remove a
mount point, and it can't unmount it. The variables are those of the dynamic loader (``LD_PRELOAD`` and the like), which
must take effect in the command but not in this program.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from ctypes import CDLL

_ROOT_CAPABILITIES = ("CAP_SYS_ADMIN", "CAP_SETPCAP")
_CLONE_NEWUSER, _CLONE_NEWNS = 0x10000000, 0x20000
_OPEN_TREE, _MOVE_MOUNT, _AT_FDCWD = 428, 429, -100
_OPEN_TREE_CLONE, _O_CLOEXEC, _AT_SYMLINK_NOFOLLOW, _MOVE_MOUNT_F_EMPTY_PATH = 0x1, 0x80000, 0x100, 0x4
_PR_CAPBSET_DROP, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, _CAPABILITY_VERSION_3 = 24, 47, 4, 0x20080522
_CANNOT_RUN = 126


def with_link_mounts(
    links: tuple[str, ...], loader_variables: dict[str, str], command: Sequence[str]
) -> tuple[list[str], dict[str, str]]:
    """Return a command line that mounts links and then runs a command, and the loader variables still to be set."""
    with open(__file__, encoding="utf-8") as file:
        source = file.read()
    variables = [f"{name}={value}" for name, value in loader_variables.items()]
    program = [os.path.realpath(sys.executable), "-I", "-S", "-c", source]
    return [*program, str(len(links)), *links, str(len(variables)), *variables, *command], {}


def required_capabilities() -> tuple[str, ...]:
    """Return the capabilities that mounting takes for root; other users get them in a user namespace of their own."""
    return _ROOT_CAPABILITIES if os.geteuid() == 0 else ()


def main(words: list[str]) -> None:
    """Mount the links and exec the command; does not return."""
    links, words = _take_counted(words)
    variables, command = _take_counted(words)
    try:
        _mount_links(links)
    except OSError as error:
        _fail(f"the command was not run: bwrap could not keep a link as it is: {error}")
    for variable in variables:
        name, _, value = variable.partition("=")
        os.environ[name] = value
    try:
        os.execvp(command[0], command)  # noqa: S606
    except OSError as error:
        _fail(f"{command[0]}: {error.strerror}")


def _take_counted(words: list[str]) -> tuple[list[str], list[str]]:
    end = int(words[0]) + 1
    return words[1:end], words[end:]


def _mount_links(links: list[str]) -> None:
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    if os.geteuid() != 0:
        _enter_namespaces(libc)
    for link in links:
        path = os.fsencode(link)
        tree = libc.syscall(_OPEN_TREE, _AT_FDCWD, path, _OPEN_TREE_CLONE | _O_CLOEXEC | _AT_SYMLINK_NOFOLLOW)
        _check(tree, link)
        _check(libc.syscall(_MOVE_MOUNT, tree, b"", _AT_FDCWD, path, _MOVE_MOUNT_F_EMPTY_PATH), link)
        os.close(tree)
    _drop_capabilities(libc)


def _enter_namespaces(libc: CDLL) -> None:
    user, group = os.geteuid(), os.getegid()
    _check(libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNS), "unshare")
    for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def _drop_capabilities(libc: CDLL) -> None:
    libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    for capability in range(64):
        if libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) < 0:
            break
    header = _CAPABILITY_VERSION_3.to_bytes(4, sys.byteorder) + bytes(4)
    _check(libc.capset(header, bytes(24)), "capset")


def _check(result: int, what: str) -> None:
    import ctypes

    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), what)


def _fail(text: str) -> None:
    sys.stderr.write(f"codex: {text}\n")
    sys.stderr.flush()
    os._exit(_CANNOT_RUN)


if __name__ == "__main__":
    main(sys.argv[1:])
