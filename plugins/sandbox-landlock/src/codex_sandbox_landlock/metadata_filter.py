"""Build the filter against changes that Landlock does not see: owners, modes, times and attributes of files."""

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
_MACHINES = {"x86_64": (0xC000003E, (*_X86_64, *_NEW)), "aarch64": (0xC00000B7, (*_AARCH64, *_NEW))}


def metadata_filter(machine: str) -> bytes:
    """Return the filter; refused calls fail with ``EPERM``.

    :param machine: as ``os.uname().machine`` says.
    :raises SandboxUnavailable: for a machine whose system calls are not known here.
    """
    if machine not in _MACHINES:
        raise SandboxUnavailable(
            f"the command was not run: sandbox-landlock knows no system calls of {machine}, "
            f"only of {' and '.join(_MACHINES)}"
        )
    architecture, numbers = _MACHINES[machine]
    program = [(_LOAD, 0, 0, 4), (_EQUAL, 1, 0, architecture), (_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, 0)]
    program += [(_EQUAL, len(numbers) - at, 0, number) for at, number in enumerate(numbers)]
    program += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _REFUSE)]
    return b"".join(struct.pack("=HBBI", *line) for line in program)
