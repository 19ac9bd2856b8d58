"""Choose the bwrap that commands of a program are run with."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from codex_sandbox_bwrap.binary import find_program, known_binary
from codex_sandbox_bwrap.launcher import BwrapLauncher
from codex_sandbox_bwrap.watchdog import Watchdog

if TYPE_CHECKING:
    from codex_hookspecs.ports.host import Host

Key = tuple[str, int, int, int]

_chosen: WeakKeyDictionary[Host, tuple[Key, BwrapLauncher]] = WeakKeyDictionary()
"""What each running program uses; looked at again when the file changed."""


def launcher_of(host: Host) -> BwrapLauncher | None:
    """Return the launcher of a program, ``None`` when there is no bwrap."""
    path = find_program(host.environ.get("PATH", ""), host.cwd)
    if path is None:
        return None
    found = os.stat(path)
    key = (path, found.st_dev, found.st_ino, found.st_mtime_ns)
    chosen = _chosen.get(host)
    if chosen is None or chosen[0] != key:
        chosen = _chosen[host] = (key, BwrapLauncher(known_binary(path, host.codex_home), Watchdog(), host.codex_home))
    return chosen[1]
