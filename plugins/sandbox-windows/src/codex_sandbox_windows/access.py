"""Say how the access lists of the workspace have to change, as arguments of ``icacls``."""

from __future__ import annotations

import os
from collections.abc import Sequence


def grants(writable: Sequence[str], held_back: Sequence[str], sids: Sequence[str]) -> list[list[str]]:
    """Return the calls: who may write where, and what in there stays as it is.

    :param sids: the sandbox user, and what its restricted tokens may write as; both have to be allowed.
    """
    calls = [["icacls", path, "/grant", *(f"*{sid}:(OI)(CI)M" for sid in sids), "/Q"] for path in writable]
    calls += (["icacls", path, "/deny", *(f"*{sid}:(OI)(CI)(W,D,DC)" for sid in sids), "/Q"] for path in held_back)
    return calls


def cap_sid(codex_home: str) -> str:
    """Return the identifier that restricted tokens of this user write as; made once, then kept.

    :raises OSError: when it can't be kept.
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
    beside = f"{path}.{os.getpid()}"
    with open(beside, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)
    return text
