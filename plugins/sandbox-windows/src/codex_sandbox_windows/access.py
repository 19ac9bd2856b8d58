"""The changes to access control lists that a policy needs, as command lines of ``icacls``."""

from __future__ import annotations

import os
from collections.abc import Sequence


def icacls_calls(writable: Sequence[str], read_only: Sequence[str], sids: Sequence[str]) -> list[list[str]]:
    """Return command lines that allow writing to some directories and deny it for paths in them.

    :param sids: SIDs of the sandbox user and of its restricted tokens; a write needs the permission of both.
    """
    calls = [["icacls", path, "/grant", *(f"*{sid}:(OI)(CI)M" for sid in sids), "/Q"] for path in writable]
    calls += (["icacls", path, "/deny", *(f"*{sid}:(OI)(CI)(W,D,DC)" for sid in sids), "/Q"] for path in read_only)
    return calls


def cap_sid(codex_home: str) -> str:
    """Return the SID that restricted tokens have as capability; generated once, then read from a file.

    :raises OSError: when the file can't be read or written.
    """
    path = os.path.join(codex_home, "plugins", "sandbox-windows.sid")
    try:
        with open(path, encoding="ascii") as file:
            return file.read().strip()
    except FileNotFoundError:
        pass
    numbers = [int.from_bytes(os.urandom(4), "little") for _ in range(4)]
    text = "-".join(["S-1-5-21", *map(str, numbers)])
    os.makedirs(os.path.dirname(path), exist_ok=True)
    temporary = f"{path}.{os.getpid()}"
    with open(temporary, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    return text
