"""Build system call filters for Linux (classic BPF, ``struct sock_filter``) without any library."""

from __future__ import annotations

import struct

from codex_hookspecs.errors import SandboxUnavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    Mode = Literal["restricted", "proxy", "enabled"]
    """No network; Internet sockets only, which lead to proxies of ours; the whole network."""
else:
    Mode = str

_LOAD, _JUMP_EQUAL, _JUMP_GREATER, _AND, _RETURN = 0x20, 0x15, 0x35, 0x54, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050001, 0x80000000
"""Let it happen; fail with ``EPERM``; end the process."""

_X32 = 0x40000000
_UNIX, _INET, _INET6, _VSOCK = 1, 2, 10, 40
_STREAM, _SEQPACKET = 1, 5
_TYPE_MASK = 0xF
_TERMINAL_INPUT = (0x5412, 0x541C)
"""``TIOCSTI`` and ``TIOCLINUX``, which type into a terminal on behalf of its user."""

_MACHINES: dict[str, tuple[int, dict[str, int]]] = {
    "x86_64": (
        0xC000003E,
        {
            "ioctl": 16, "socket": 41, "connect": 42, "accept": 43, "sendto": 44, "bind": 49, "listen": 50,
            "socketpair": 53, "ptrace": 101, "add_key": 248, "request_key": 249, "keyctl": 250, "accept4": 288,
            "perf_event_open": 298, "recvmmsg": 299, "sendmmsg": 307, "process_vm_readv": 310,
            "process_vm_writev": 311, "bpf": 321, "userfaultfd": 323, "io_uring_setup": 425, "io_uring_enter": 426,
            "io_uring_register": 427,
        },
    ),
    "aarch64": (
        0xC00000B7,
        {
            "ioctl": 29, "socket": 198, "connect": 203, "accept": 202, "sendto": 206, "bind": 200, "listen": 201,
            "socketpair": 199, "ptrace": 117, "add_key": 217, "request_key": 218, "keyctl": 219, "accept4": 242,
            "perf_event_open": 241, "recvmmsg": 243, "sendmmsg": 269, "process_vm_readv": 270,
            "process_vm_writev": 271, "bpf": 280, "userfaultfd": 282, "io_uring_setup": 425, "io_uring_enter": 426,
            "io_uring_register": 427,
        },
    ),
}  # fmt: skip
_RINGS = ("io_uring_setup", "io_uring_enter", "io_uring_register")
_OTHERS = ("ptrace", "process_vm_readv", "process_vm_writev", "add_key", "request_key", "keyctl", "bpf")
_PEEKING = (*_RINGS, *_OTHERS, "perf_event_open", "userfaultfd")
_REACHING = ("connect", "accept", "accept4", "bind", "listen", "sendmmsg", "recvmmsg")

_built: dict[tuple[str, str], bytes] = {}

Instruction = tuple[int, int | str, int | str, int]
"""Code, where to go when it holds and when not (a count, or the name of an answer), operand."""


def filter_program(mode: Mode, machine: str) -> bytes:
    """Return the filter for a mode of the network, as the kernel and ``bwrap --seccomp`` take it.

    Refused calls fail with ``EPERM``. Without network, what is left of sockets are connected pairs: sending to an
    address can't be told from the address itself, so it is decided by the type of the socket, and ``sendto`` is
    allowed where it names no address.

    :param machine: as ``os.uname().machine`` says.
    :raises SandboxUnavailable: for a machine whose system calls are not known here.
    """
    built = _built.get((mode, machine))
    if built is None:
        built = _built[mode, machine] = _build(mode, machine)
    return built


def _build(mode: Mode, machine: str) -> bytes:
    known = _MACHINES.get(machine)
    if known is None:
        raise SandboxUnavailable(
            f"the command was not run: there is no system call filter for {machine}, only for "
            f"{' and '.join(_MACHINES)}; run it with --sandbox danger-full-access if this machine is disposable"
        )
    architecture, numbers = known
    program: list[Instruction] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_JUMP_EQUAL, 0, "kill", architecture),
        (_LOAD, 0, 0, _NUMBER),
    ]
    if machine == "x86_64":
        program.append((_JUMP_GREATER, "refuse", 0, _X32))
    refused = {"restricted": (*_REACHING, *_PEEKING), "proxy": _PEEKING, "enabled": _RINGS}[mode]
    program += [(_JUMP_EQUAL, "refuse", 0, numbers[name]) for name in refused]
    for name, check in _checks(mode):
        program += [(_JUMP_EQUAL, 0, len(check), numbers[name]), *check]
    return _assembled(program)


def _checks(mode: Mode) -> list[tuple[str, list[Instruction]]]:
    """Return calls whose arguments decide; each check ends with an answer for every case."""
    pairs = [*_only((_UNIX,), "type"), *_connected_types()]
    typing = [_argument(1), *((_JUMP_EQUAL, "refuse", 0, code) for code in _TERMINAL_INPUT), _answer("allow")]
    if mode == "enabled":
        return [("socket", [_argument(0), (_JUMP_EQUAL, "refuse", "allow", _VSOCK)])]
    if mode == "proxy":
        return [("socket", _only((_INET, _INET6), "allow")), ("socketpair", pairs), ("ioctl", typing)]
    without_address: list[Instruction] = [
        _argument(4),
        (_JUMP_EQUAL, 0, "refuse", 0),
        _argument(4, high=True),
        (_JUMP_EQUAL, "allow", "refuse", 0),
    ]
    return [("socket", pairs), ("socketpair", pairs), ("sendto", without_address), ("ioctl", typing)]


def _only(domains: tuple[int, ...], then: str) -> list[Instruction]:
    """Return a check of the domain: ``allow`` for those, or go on behind it with ``type``."""
    if then == "type":
        return [_argument(0), (_JUMP_EQUAL, 0, "refuse", domains[0])]
    return [_argument(0), *((_JUMP_EQUAL, "allow", 0, domain) for domain in domains), _answer("refuse")]


def _connected_types() -> list[Instruction]:
    return [
        _argument(1),
        (_AND, 0, 0, _TYPE_MASK),
        (_JUMP_EQUAL, "allow", 0, _STREAM),
        (_JUMP_EQUAL, "allow", "refuse", _SEQPACKET),
    ]


def _argument(index: int, *, high: bool = False) -> Instruction:
    return (_LOAD, 0, 0, _ARGUMENTS + 8 * index + 4 * high)


def _answer(name: str) -> Instruction:
    """Go to an answer whatever is loaded."""
    return (_JUMP_GREATER, name, name, 0)


def _assembled(program: list[Instruction]) -> bytes:
    """Put the answers behind a program and turn their names into distances."""
    answers = {"allow": _ALLOW, "refuse": _REFUSE, "kill": _KILL}
    places = {name: len(program) + offset for offset, name in enumerate(answers)}

    def distance(target: int | str, at: int) -> int:
        return places[target] - at - 1 if isinstance(target, str) else target

    lines = [
        struct.pack("=HBBI", code, distance(yes, at), distance(no, at), operand)
        for at, (code, yes, no, operand) in enumerate(program)
    ]
    lines += [struct.pack("=HBBI", _RETURN, 0, 0, value) for value in answers.values()]
    return b"".join(lines)
