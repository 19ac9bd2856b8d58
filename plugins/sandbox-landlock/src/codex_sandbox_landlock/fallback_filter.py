"""Build the system call filter for what Landlock does not cover, used where there are no namespaces."""

from __future__ import annotations

import struct

from codex_hookspecs.errors import SandboxUnavailable

_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050001, 0x80000000
_FCHMODAT2, _SETXATTRAT, _REMOVEXATTRAT, _FILE_SETATTR = 452, 463, 466, 469

# chmod fchmod chown fchown lchown utime setxattr… removexattr… utimes fchownat futimesat fchmodat utimensat, and newer.
_X86_64 = (90, 91, 92, 93, 94, 132, 188, 189, 190, 197, 198, 199, 235, 260, 261, 268, 280)
_AARCH64 = (5, 6, 7, 14, 15, 16, 52, 53, 54, 55, 88)
_NEW = (_FCHMODAT2, _SETXATTRAT, _REMOVEXATTRAT, _FILE_SETATTR)
_METADATA = {"x86_64": (*_X86_64, *_NEW), "aarch64": (*_AARCH64, *_NEW)}
_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

# System V shared memory, semaphores and message queues.
_SHARED = {"x86_64": (29, 30, 31, 64, 65, 66, 67, 68, 69, 70, 71, 220), "aarch64": tuple(range(186, 198))}


def fallback_filter(machine: str, *, metadata: bool) -> bytes:
    """Return the filter; refused calls fail with ``EPERM``.

    It refuses System V IPC and, without ``metadata``, changes of owner, mode, times and attributes of files.

    :param machine: value of ``os.uname().machine``.
    :raises SandboxUnavailable: for a machine whose system call numbers are not known here.
    """
    architecture = _ARCHITECTURES.get(machine)
    if architecture is None:
        raise SandboxUnavailable(
            f"the command was not run: sandbox-landlock knows no system calls of {machine}, "
            f"only of {' and '.join(_ARCHITECTURES)}"
        )
    numbers = _SHARED[machine] if metadata else (*_SHARED[machine], *_METADATA[machine])
    program = [(_LOAD, 0, 0, 4), (_EQUAL, 1, 0, architecture), (_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, 0)]
    program += [(_EQUAL, len(numbers) - at, 0, number) for at, number in enumerate(numbers)]
    program += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _REFUSE)]
    return b"".join(struct.pack("=HBBI", *line) for line in program)
