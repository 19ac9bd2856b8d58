"""Choose the bwrap that commands of a program are run with."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from codex_sandbox_bwrap.binary import known_binary, program_of
from codex_sandbox_bwrap.launcher import BwrapLauncher
from codex_sandbox_bwrap.watchdog import Watchdog

if TYPE_CHECKING:
    from codex_hookspecs.host import Host

Key = tuple[str, int, int, int]

_chosen: WeakKeyDictionary[Host, tuple[Key, BwrapLauncher | None]] = WeakKeyDictionary()
"""What each running program uses; looked at again when the file changed."""


def launcher_of(host: Host) -> BwrapLauncher | None:
    """Return the launcher of a program, ``None`` when there is no bwrap that works."""
    path = program_of(host)
    if path is None:
        return None
    found = os.stat(path)
    key = (path, found.st_dev, found.st_ino, found.st_mtime_ns)
    chosen = _chosen.get(host)
    if chosen is None or chosen[0] != key:
        binary = known_binary(path, host.codex_home)
        launcher = None if binary.abilities.problem else BwrapLauncher(binary, Watchdog(), host.codex_home)
        chosen = _chosen[host] = (key, launcher)
    return chosen[1]


def problem_of(host: Host) -> str:
    """Return why a program's bwrap can't be used, or the empty string; tried out where that is not known."""
    path = program_of(host)
    return "" if path is None else known_binary(path, host.codex_home).abilities.problem
