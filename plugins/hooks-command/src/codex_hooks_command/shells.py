"""Choose the shell that runs commands (as Codex 0.118 and 0.169 choose it)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

_SHELLS = ("bash", "zsh", "sh")


def shell_arguments(command: str, environment: Mapping[str, str]) -> list[str]:
    """Return the argument list that runs a command.

    No profile is read: that would cost time and put another ``PATH`` in place. ``$SHELL`` is not looked at: it is what
    somebody's terminal uses, and under cron or in CI it is often another one than the hooks were written for.
    """
    if os.name == "nt":
        return [environment.get("COMSPEC") or "cmd.exe", "/C", command]
    return [account_shell(_registered_shell(), environment.get("PATH", "")), "-c", command]


def account_shell(registered: str, search_path: str) -> str:
    """Return the shell of an account, or the nearest to it that can run commands written for Codex.

    :param registered: what the user database names; services have a program there that refuses everything.
    :param search_path: where to look for bash.
    """
    if os.path.basename(registered) in _SHELLS and os.access(registered, os.X_OK):
        return registered
    return next((found for found in _bashes(search_path) if os.access(found, os.X_OK)), "/bin/sh")


def _bashes(search_path: str) -> Iterator[str]:
    # A relative directory would be one of the project.
    yield from (f"{folder}/bash" for folder in search_path.split(os.pathsep) if os.path.isabs(folder))
    yield "/bin/bash"


def _registered_shell() -> str:
    import pwd  # not there on Windows

    try:
        return pwd.getpwuid(os.getuid()).pw_shell
    except KeyError:
        return ""
