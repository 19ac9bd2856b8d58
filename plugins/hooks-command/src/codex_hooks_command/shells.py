"""Choose the shell that runs commands (as Codex 0.118 and 0.169 choose it)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

_SHELLS = ("bash", "zsh", "sh")


def shell_arguments(command: str, environment: Mapping[str, str]) -> list[str]:
    """Return the argument list that runs a command.

    No profile is read: that would take time and change ``PATH``. ``$SHELL`` is ignored: it is the shell of a terminal,
    and under cron or in CI it often differs from the one that the hooks were written for.
    """
    if os.name == "nt":
        return [environment.get("COMSPEC") or "cmd.exe", "/C", command]
    return [account_shell(_registered_shell(), environment.get("PATH", "")), "-c", command]


def account_shell(registered: str, search_path: str) -> str:
    """Return the shell of an account if it can run commands written for Codex, else bash or ``/bin/sh``.

    :param registered: the shell in the user database; for service accounts often a program like ``nologin``.
    :param search_path: ``PATH`` to search for bash.
    """
    if os.path.basename(registered) in _SHELLS and os.access(registered, os.X_OK):
        return registered
    return next((found for found in _bashes(search_path) if os.access(found, os.X_OK)), "/bin/sh")


def _bashes(search_path: str) -> Iterator[str]:
    # A relative directory would be inside the project.
    yield from (f"{folder}/bash" for folder in search_path.split(os.pathsep) if os.path.isabs(folder))
    yield "/bin/bash"


def _registered_shell() -> str:
    import pwd  # not there on Windows

    try:
        return pwd.getpwuid(os.getuid()).pw_shell
    except KeyError:
        return ""
