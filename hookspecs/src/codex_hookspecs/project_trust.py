"""Find the project a directory belongs to, and tell whether the user trusts it."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def untrusted_reason(root: str) -> str:
    """Say that a project is not trusted and what changes it."""
    return (
        f"{root} is not trusted: its configuration and hooks do not count"
        f' (to trust it, add [projects."{root}"] trust_level = "trusted" to config.toml)'
    )


def project_root(cwd: str) -> str | None:
    """Return the nearest directory upward that holds ``.git``, or ``None``.

    A sticky directory of that name only stands in for a missing one while a sandbox runs.
    """
    directory = cwd
    while True:
        if _stands(f"{directory}/.git"):
            return directory
        parent = os.path.dirname(directory)
        if parent == directory:
            return None
        directory = parent


def _stands(path: str) -> bool:
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return False
    return not (stat.S_ISDIR(mode) and mode & stat.S_ISVTX)


def is_trusted(cwd: str, root: str | None, projects: Mapping[str, Any]) -> bool:
    """Tell whether the user trusts a directory, its project, or the repository its work tree is linked to."""
    if not projects:
        return False
    for directory in (cwd, root, _main_repository(root) if root else None):
        entry = projects.get(directory) if directory else None
        if isinstance(entry, dict) and "trust_level" in entry:
            return bool(entry["trust_level"] == "trusted")
    return False


def _main_repository(root: str) -> str | None:
    """Return the repository that a linked work tree belongs to (``gitdir: …/.git/worktrees/<name>``)."""
    try:
        text = Path(root, ".git").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    folder, found, _ = text.removeprefix("gitdir:").strip().partition("/.git/worktrees/")
    return os.path.realpath(os.path.join(root, folder)) if found else None
