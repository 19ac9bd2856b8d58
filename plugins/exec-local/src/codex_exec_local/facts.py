"""Find the facts of this machine: operating system, shell, directories."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from codex_hookspecs.environments import EnvironmentFacts
from codex_sandboxing.own_places import libraries, own_places

_SHELLS = ("bash", "zsh", "sh", "dash", "ksh")
_FALLBACKS = ("/bin/bash", "/usr/bin/bash", "/bin/zsh", "/bin/sh")
_OS = {"linux": "linux", "darwin": "macos", "win32": "windows", "cygwin": "windows"}


def find_facts(environ: Mapping[str, str]) -> EnvironmentFacts:
    """Return the facts of this machine.

    :param environ: environment variables; ``HOME``, ``SHELL``, ``TMPDIR`` and ``CODEX_HOME`` are read.
    """
    entry_home, entry_shell = _account_entry()
    home = environ.get("HOME") or entry_home or "/"
    return EnvironmentFacts(
        os=_OS.get(sys.platform, sys.platform),
        shell=_shell(entry_shell, environ.get("SHELL")),
        home=home,
        cwd=_directory(home),
        temporary_directory=_temporary(environ.get("TMPDIR")),
        program_directories=own_places(environ.get("CODEX_HOME") or os.path.join(home, ".codex")),
        libraries=libraries(),
    )


def _account_entry() -> tuple[str | None, str | None]:
    try:
        import pwd
    except ImportError:
        return None, None
    try:
        entry = pwd.getpwuid(os.getuid())
    except KeyError:
        return None, None
    return entry.pw_dir or None, entry.pw_shell or None


def _directory(home: str) -> str:
    try:
        return os.getcwd()
    except FileNotFoundError:
        return home


def _shell(*candidates: str | None) -> str:
    for candidate in (*candidates, *_FALLBACKS):
        if candidate and os.path.basename(candidate) in _SHELLS and os.access(candidate, os.X_OK):
            return candidate
    return "/bin/sh"


def _temporary(named: str | None) -> str:
    if named and os.path.isabs(named):
        return named
    return "/tmp"  # noqa: S108
