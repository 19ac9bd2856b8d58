"""Restrict the own process to a policy, then exec a command."""

from __future__ import annotations

import ctypes
import os
import stat
import sys

from codex_sandbox_landlock.mounts import RUNNING, enter, namespaces_problem
from codex_sandbox_landlock.syscalls import (
    ADD_RULE,
    AMBIENT,
    CAPBSET_DROP,
    CLOSE_RANGE,
    CREATE_RULESET,
    NO_NEW_PRIVS,
    RESTRICT_SELF,
    SECCOMP,
    StepFailed,
    check,
    die_with_parent,
    libc,
)

_FILE_RIGHTS = 0xC007


def main(arguments: list[str]) -> int:
    """Carry out the operations and exec the command; return an exit status if that failed or in a waiting parent."""
    if arguments == ["probe"]:
        print(_landlock_abi(), namespaces_problem() or "-", sep="\n")
        return 0
    end = arguments.index("--")
    operations = list(zip(arguments[0:end:2], arguments[1:end:2], strict=True))
    command = arguments[end + 1 :]
    environment = _given_environment()
    for operation, value in operations:
        if operation == "env":
            name, _, text = os.fsencode(value).partition(b"=")
            environment[name] = text
    try:
        _close_inherited()
        die_with_parent()
        status = enter(operations)
        if status != RUNNING:
            return status
        _drop_capabilities()
        check("give up new privileges", libc.prctl(NO_NEW_PRIVS, 1, 0, 0, 0))
        _restrict_files(operations)
        _filter_calls(operations)
    except (StepFailed, OSError) as error:
        print(f"codex: the command was not run: sandbox-landlock could not {error}", file=sys.stderr)
        return 126
    return _exec(command, environment)


def _close_inherited() -> None:
    every = ctypes.c_uint(0xFFFFFFFF)
    check("close inherited descriptors", libc.syscall(CLOSE_RANGE, ctypes.c_uint(3), every, ctypes.c_uint(0)))


def _restrict_files(operations: list[tuple[str, str]]) -> None:
    wanted = [value for operation, value in operations if operation == "landlock"]
    if not wanted:
        return
    abi, *parts = (int(part) for part in wanted[0].split(","))
    size = 8 if abi < 4 else 16 if abi < 6 else 24
    attributes = b"".join(part.to_bytes(8, sys.byteorder) for part in parts)[:size]
    ruleset = check("make a Landlock ruleset", libc.syscall(CREATE_RULESET, attributes, ctypes.c_size_t(size), 0))
    for operation, value in operations:
        if operation == "allow":
            rights, _, path = value.partition(":")
            _allow(ruleset, int(rights), path)
    check("apply the Landlock ruleset", libc.syscall(RESTRICT_SELF, ruleset, 0))


def _allow(ruleset: int, rights: int, path: str) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # A path that does not exist needs no rule.
    if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
        rights &= _FILE_RIGHTS
    rule = rights.to_bytes(8, sys.byteorder) + descriptor.to_bytes(4, sys.byteorder)
    check(f"allow {path}", libc.syscall(ADD_RULE, ruleset, 1, rule, 0))
    os.close(descriptor)


def _filter_calls(operations: list[tuple[str, str]]) -> None:
    for operation, value in operations:
        if operation == "filter":
            code = bytes.fromhex(value)
            buffer = ctypes.create_string_buffer(code, len(code))
            head = (len(code) // 8).to_bytes(2, sys.byteorder) + bytes(6)
            address = ctypes.addressof(buffer).to_bytes(8, sys.byteorder)
            program = ctypes.create_string_buffer(head + address, 16)
            check("filter system calls", libc.prctl(SECCOMP, 2, ctypes.addressof(program), 0, 0))


def _drop_capabilities() -> None:
    """Drop all capabilities.

    The bounding set is emptied where that is permitted. Root in a container without ``CAP_SETPCAP`` may not do that and
    need not: with ``no_new_privs`` set, exec never adds a capability.
    """
    libc.prctl(AMBIENT, 4, 0, 0, 0)
    for capability in range(64):
        if libc.prctl(CAPBSET_DROP, capability, 0, 0, 0) != 0:
            break
    header = (0x20080522).to_bytes(4, sys.byteorder) + bytes(4)
    check("drop capabilities", libc.capset(header, bytes(24)))


def _exec(command: list[str], environment: dict[bytes, bytes]) -> int:
    import _signal  # type: ignore[import-not-found]

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


def _given_environment() -> dict[bytes, bytes]:
    """Return the environment that this process was started with; the interpreter may have changed ``os.environ``."""
    try:
        with open("/proc/self/environ", "rb") as file:
            pairs = [part.partition(b"=") for part in file.read().split(b"\0") if part]
    except OSError:
        return dict(os.environb)
    return {name: value for name, _, value in pairs}


def _landlock_abi() -> int:
    """Return the ABI version of Landlock, 0 if the kernel has none."""
    return max(0, int(libc.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), 1)))
