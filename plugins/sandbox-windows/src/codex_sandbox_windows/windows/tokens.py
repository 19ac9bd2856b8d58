"""Create the restricted token of a command: it reads what the user may read, and writes only as certain SIDs."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from ctypes import POINTER, c_int32, c_void_p
from ctypes import c_uint32 as dword

from codex_sandbox_windows.windows.api import (
    SidAndAttributes,
    advapi32,
    buffer,
    check,
    close_handle,
    free,
    kernel32,
    sid_of,
)

_ASSIGN, _DUPLICATE, _QUERY, _ADJUST_PRIVILEGES, _ADJUST_DEFAULT, _ADJUST_SESSION = 0x1, 0x2, 0x8, 0x20, 0x80, 0x100
_ACCESS = _ASSIGN | _DUPLICATE | _QUERY | _ADJUST_PRIVILEGES | _ADJUST_DEFAULT | _ADJUST_SESSION
_NO_PRIVILEGES, _LEAST_USER, _RESTRICT_WRITES = 0x1, 0x4, 0x8
_GROUPS, _DEFAULT_ACCESS = 2, 6
_LOGON_GROUP = 0xC0000000
_GENERIC_ALL, _ACL_REVISION = 0x10000000, 2
_EVERYONE = "S-1-1-0"


def restricted_token(cap_sids: Sequence[str]) -> int:
    """Create a token that can write only where one of some SIDs may write.

    :param cap_sids: SIDs that were granted access to the writable roots.
    :raises OSError: when it can't be created.
    """
    own = _open_own_token()
    given: list[c_void_p] = []
    try:
        given = [sid_of(text) for text in (*cap_sids, _EVERYONE)]
        # The SID points into this buffer, which has to live until it was used.
        _memory, logon = _logon_sid(own)
        sids = [*given, *([logon] if logon else [])]
        wanted = (SidAndAttributes * len(sids))(*[SidAndAttributes(sid, 0) for sid in sids])
        token = c_void_p()
        make = advapi32(
            "CreateRestrictedToken", c_void_p, dword, dword, c_void_p, dword, c_void_p, dword, c_void_p,
            POINTER(c_void_p),
        )  # fmt: skip
        flags = _NO_PRIVILEGES | _LEAST_USER | _RESTRICT_WRITES
        made = make(own, flags, 0, None, 0, None, len(sids), wanted, ctypes.byref(token))
        check("restrict the token", made)
        restricted = int(token.value or 0)
        try:
            _open_own_objects(restricted, sids)
        except OSError:
            close_handle(restricted)
            raise
        return restricted
    finally:
        for sid in given:
            free(sid)
        close_handle(own)


def _open_own_token() -> int:
    token = c_void_p()
    own = kernel32("GetCurrentProcess", result=c_void_p)()
    opened = advapi32("OpenProcessToken", c_void_p, dword, POINTER(c_void_p))(own, _ACCESS, ctypes.byref(token))
    check("open the own token", opened)
    return int(token.value or 0)


def _logon_sid(token: int) -> tuple[object, c_void_p | None]:
    """Return the buffer of the token's groups and the SID of the logon session, which points into it."""
    size = dword()
    ask = advapi32("GetTokenInformation", c_void_p, c_int32, c_void_p, dword, POINTER(dword))
    ask(token, _GROUPS, None, 0, ctypes.byref(size))
    memory = buffer(size.value)
    check("read the groups of the token", ask(token, _GROUPS, memory, size, ctypes.byref(size)))
    count = dword.from_buffer(memory).value
    offset = ctypes.sizeof(c_void_p)  # The list is aligned to the size of a pointer.
    groups = (SidAndAttributes * count).from_buffer(memory, offset)
    for group in groups:
        if group.attributes & _LOGON_GROUP == _LOGON_GROUP:
            return memory, c_void_p(group.sid)
    return memory, None


def _open_own_objects(token: int, sids: Sequence[c_void_p]) -> None:
    """Let the command use the pipes and events that it creates itself."""
    length = advapi32("GetLengthSid", c_void_p)
    entry_head = 8
    size = 8 + sum(entry_head + length(sid) for sid in sids)
    acl = buffer(size)
    check("make an access list", advapi32("InitializeAcl", c_void_p, dword, dword)(acl, size, _ACL_REVISION))
    add = advapi32("AddAccessAllowedAce", c_void_p, dword, dword, c_void_p)
    for sid in sids:
        check("fill an access list", add(acl, _ACL_REVISION, _GENERIC_ALL, sid))
    default = c_void_p(ctypes.addressof(acl))
    apply = advapi32("SetTokenInformation", c_void_p, c_int32, c_void_p, dword)
    size_of_pointer = ctypes.sizeof(default)
    check("set default access", apply(token, _DEFAULT_ACCESS, ctypes.byref(default), size_of_pointer))
