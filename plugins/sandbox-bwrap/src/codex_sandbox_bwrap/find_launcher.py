"""Find the bwrap launcher of a host."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from codex_sandbox_bwrap.binary import probe_binary, program_for
from codex_sandbox_bwrap.launcher import BwrapLauncher
from codex_sandbox_bwrap.watchdog import Watchdog

if TYPE_CHECKING:
    from codex_hookspecs.host import Host

Key = tuple[str, int, int, int]

_launchers: WeakKeyDictionary[Host, tuple[Key, BwrapLauncher | None]] = WeakKeyDictionary()
"""The launcher of each host, or ``None`` if its bwrap does not work; valid until the file changes."""


def launcher_for(host: Host) -> BwrapLauncher | None:
    """Return the launcher of a host, ``None`` when there is no bwrap that works."""
    path = program_for(host)
    if path is None:
        return None
    found = os.stat(path)
    key = (path, found.st_dev, found.st_ino, found.st_mtime_ns)
    cached = _launchers.get(host)
    if cached is None or cached[0] != key:
        binary = probe_binary(path, host.codex_home)
        launcher = None if binary.features.problem else BwrapLauncher(binary, Watchdog(), host.codex_home)
        cached = _launchers[host] = (key, launcher)
    return cached[1]


def problem_for(host: Host) -> str:
    """Return why the bwrap of a host can't be used, or the empty string; probes it if that is not known yet."""
    path = program_for(host)
    return "" if path is None else probe_binary(path, host.codex_home).features.problem
