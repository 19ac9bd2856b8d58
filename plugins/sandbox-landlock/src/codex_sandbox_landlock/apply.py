"""Put the own process under a policy, then become a command; a program of its own that imports nothing of ours.

Run as ``python -I -S apply.py probe`` or ``python -I -S apply.py OPERATION VALUE … -- COMMAND …``. The operations,
in the order in which they take effect:

- ``unshare NAMES``: enter new namespaces, own ids mapped to themselves; then the mount operations:
- ``readonly /``, ``bind PATH``, ``pin PATH``, ``hide PATH``: everything read-only; a tree writable again; a tree
  read-only; a tree gone.
- ``landlock ABI,FILES,NETWORK,SCOPES`` and ``allow RIGHTS:PATH``: the ruleset.
- ``filter HEX``: a system call filter.

Every failure ends the process before the command is run.
"""

from __future__ import annotations

import ctypes
import os
import stat
import sys
from collections.abc import Callable

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF, _MOUNT_SETATTR, _CLOSE_RANGE = 444, 445, 446, 442, 436
_NAMESPACES = {"mounts": 0x20000, "ipc": 0x08000000, "user": 0x10000000, "pids": 0x20000000, "network": 0x40000000}
_BIND, _RECURSIVE, _PRIVATE, _NOSUID, _NODEV, _NOEXEC = 0x1000, 0x4000, 0x40000, 0x2, 0x4, 0x8
_AT_FDCWD, _AT_RECURSIVE, _RDONLY = -100, 0x8000, 0x1
_PDEATHSIG, _SECCOMP, _CAPBSET_DROP, _NO_NEW_PRIVS, _AMBIENT = 1, 22, 24, 38, 47
_FILE_RIGHTS = 0x4007
_RUNNING = -1
_SCRATCH = "/dev/shm"  # noqa: S108

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
_libc.prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
_libc.mount.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p]


class Failed(Exception):
    """Raised when a step is not possible; nothing is run then."""


def main(arguments: list[str]) -> int:
    """Do what the arguments say; return only when it failed."""
    if arguments == ["probe"]:
        print(_landlock_abi(), _namespaces_problem() or "-", sep="\n")
        return 0
    end = arguments.index("--")
    operations = list(zip(arguments[0:end:2], arguments[1:end:2], strict=True))
    command = arguments[end + 1 :]
    environment = _own_environment()
    try:
        _close_inherited()
        _end_with_parent()
        status = _enter(operations)
        if status != _RUNNING:
            return status
        _drop_capabilities()
        _checked("give up new privileges", _libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0))
        _restrict_files(operations)
        _filter_calls(operations)
    except (Failed, OSError) as error:
        print(f"codex: the command was not run: sandbox-landlock could not {error}", file=sys.stderr)
        return 126
    return _become(command, environment)


def _enter(operations: list[tuple[str, str]]) -> int:
    """Enter namespaces and arrange the mounts.

    :return: in the process that is to be the command, that it goes on; in those that wait for it, how it ended.
    """
    wanted = [value for operation, value in operations if operation == "unshare"]
    if not wanted:
        return _RUNNING
    directory = os.getcwd()
    _unshare(wanted[0].split(","))
    for wait in (_ended, _first_of_its_kind):
        child = os.fork()
        if child:
            return wait(child)
        _end_with_parent()
        if wait is _ended:
            _arrange_mounts(operations)
            # The working directory is still that of the mounts that were covered.
            os.chdir(directory)
    return _RUNNING


def _arrange_mounts(operations: list[tuple[str, str]]) -> None:
    _libc.mount(b"proc", b"/proc", b"proc", _NOSUID | _NODEV | _NOEXEC, None)  # Containers may keep the old one.
    for operation, value in operations:
        act = _MOUNTS.get(operation)
        if act is not None:
            act(value)


def _ended(child: int) -> int:
    """Wait for a child and return its exit code, as shells count."""
    _ignore_interrupts()
    status = os.waitpid(child, 0)[1]
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _first_of_its_kind(child: int) -> int:
    """Be the first process of the namespace: wait for the command and for orphans; whoever is left ends with it."""
    _ignore_interrupts()
    while True:
        process, status = os.wait()
        if process == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def _ignore_interrupts() -> None:
    """Leave what a terminal or a person sends to the whole group to the command."""
    import _signal  # type: ignore[import-not-found]

    for number in (_signal.SIGINT, _signal.SIGQUIT, _signal.SIGHUP, _signal.SIGTSTP):
        _signal.signal(number, _signal.SIG_IGN)


def _close_inherited() -> None:
    every = ctypes.c_uint(0xFFFFFFFF)
    _checked("close inherited descriptors", _libc.syscall(_CLOSE_RANGE, ctypes.c_uint(3), every, ctypes.c_uint(0)))


def _end_with_parent() -> None:
    _checked("ask for the end with the parent", _libc.prctl(_PDEATHSIG, 9, 0, 0, 0))


def _unshare(names: list[str]) -> None:
    user, group = os.geteuid(), os.getegid()
    _checked("enter new namespaces", _libc.unshare(sum(_NAMESPACES[name] for name in names)))
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        descriptor = os.open(f"/proc/self/{name}", os.O_WRONLY)
        os.write(descriptor, text.encode())
        os.close(descriptor)
    _mount(None, "/", None, _RECURSIVE | _PRIVATE)


def _make_readonly(path: str) -> None:
    if os.path.isdir(_SCRATCH):
        _mount("tmpfs", _SCRATCH, "tmpfs", _NOSUID | _NODEV, "mode=1777")
    _set_attributes(path, readonly=True)
    if os.path.isdir(_SCRATCH):
        _set_attributes(_SCRATCH, readonly=False)


def _bind(path: str) -> None:
    _mount(path, path, None, _BIND | _RECURSIVE)
    _set_attributes(path, readonly=False)


def _pin(path: str) -> None:
    _mount(path, path, None, _BIND | _RECURSIVE)
    _set_attributes(path, readonly=True)


def _hide(path: str) -> None:
    if os.path.isdir(path):
        _mount("tmpfs", path, "tmpfs", _NOSUID | _NODEV, "mode=000,size=4k")
    else:
        source = f"{_SCRATCH}/.hidden"
        os.close(os.open(source, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0))
        _mount(source, path, None, _BIND)
        os.unlink(source)
    _set_attributes(path, readonly=True)


_MOUNTS: dict[str, Callable[[str], None]] = {"readonly": _make_readonly, "bind": _bind, "pin": _pin, "hide": _hide}


def _restrict_files(operations: list[tuple[str, str]]) -> None:
    wanted = [value for operation, value in operations if operation == "landlock"]
    if not wanted:
        return
    abi, *parts = (int(part) for part in wanted[0].split(","))
    size = 8 if abi < 4 else 16 if abi < 6 else 24
    attributes = b"".join(part.to_bytes(8, sys.byteorder) for part in parts)[:size]
    ruleset = _checked("make a Landlock ruleset", _libc.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(size), 0))
    for operation, value in operations:
        if operation == "allow":
            rights, _, path = value.partition(":")
            _allow(ruleset, int(rights), path)
    _checked("apply the Landlock ruleset", _libc.syscall(_RESTRICT_SELF, ruleset, 0))


def _allow(ruleset: int, rights: int, path: str) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # What does not exist needs no right.
    if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
        rights &= _FILE_RIGHTS
    rule = rights.to_bytes(8, sys.byteorder) + descriptor.to_bytes(4, sys.byteorder)
    _checked(f"allow {path}", _libc.syscall(_ADD_RULE, ruleset, 1, rule, 0))
    os.close(descriptor)


def _filter_calls(operations: list[tuple[str, str]]) -> None:
    for operation, value in operations:
        if operation == "filter":
            code = bytes.fromhex(value)
            buffer = ctypes.create_string_buffer(code, len(code))
            head = (len(code) // 8).to_bytes(2, sys.byteorder) + bytes(6)
            address = ctypes.addressof(buffer).to_bytes(8, sys.byteorder)
            program = ctypes.create_string_buffer(head + address, 16)
            _checked("filter system calls", _libc.prctl(_SECCOMP, 2, ctypes.addressof(program), 0, 0))


def _drop_capabilities() -> None:
    """Leave no capability that a command run by root could get back."""
    _libc.prctl(_AMBIENT, 4, 0, 0, 0)
    for capability in range(64):
        if _libc.prctl(_CAPBSET_DROP, capability, 0, 0, 0) == 0:
            continue
        if ctypes.get_errno() == 22:
            break
        if os.geteuid() == 0:
            raise Failed(f"drop capability {capability}: {os.strerror(ctypes.get_errno())}")
        break
    header = (0x20080522).to_bytes(4, sys.byteorder) + bytes(4)
    _checked("drop capabilities", _libc.capset(header, bytes(24)))


def _become(command: list[str], environment: dict[bytes, bytes]) -> int:
    import _signal

    for number in (_signal.SIGPIPE, _signal.SIGXFSZ):
        _signal.signal(number, _signal.SIG_DFL)
    try:
        os.execvpe(command[0], command, environment)  # noqa: S606
    except (FileNotFoundError, NotADirectoryError):
        print(f"codex: command not found: {command[0]}", file=sys.stderr)
        return 127
    except (OSError, ValueError) as error:
        print(f"codex: {command[0]} can't be run: {getattr(error, 'strerror', None) or error}", file=sys.stderr)
        return 126


def _own_environment() -> dict[bytes, bytes]:
    """Return the environment as it was given; the interpreter may have added to its own."""
    try:
        with open("/proc/self/environ", "rb") as file:
            pairs = [part.partition(b"=") for part in file.read().split(b"\0") if part]
    except OSError:
        return dict(os.environb)
    return {name: value for name, _, value in pairs}


def _landlock_abi() -> int:
    """Return the version of Landlock, 0 without it."""
    return max(0, int(_libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), 1)))


def _namespaces_problem() -> str | None:
    """Return why namespaces can't be had, ``None`` when they can; the process is in them afterwards."""
    try:
        _unshare(list(_NAMESPACES))
        _make_readonly("/")
    except (Failed, OSError) as error:
        return str(error)
    return None


def _mount(source: str | None, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    encoded = [None if text is None else os.fsencode(text) for text in (source, target, kind, options)]
    _checked(f"mount {target}", _libc.mount(encoded[0], encoded[1], encoded[2], flags, encoded[3]))


def _set_attributes(path: str, *, readonly: bool) -> None:
    """Make a tree read-only, or writable as far as it was so outside."""
    change = (_RDONLY, 0) if readonly else (0, _RDONLY)
    attributes = b"".join(part.to_bytes(8, sys.byteorder) for part in (*change, 0, 0))
    size = ctypes.c_size_t(len(attributes))
    for flags in (_AT_RECURSIVE, 0):
        if _libc.syscall(_MOUNT_SETATTR, _AT_FDCWD, os.fsencode(path), ctypes.c_uint(flags), attributes, size) == 0:
            return
        if readonly:
            raise Failed(f"make {path} read-only: {os.strerror(ctypes.get_errno())}")


def _checked(what: str, result: int) -> int:
    if result < 0:
        raise Failed(f"{what}: {os.strerror(ctypes.get_errno())}")
    return result


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
