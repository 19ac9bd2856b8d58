"""Determine whether the user trusts a project."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from codex_hookspecs.environments.repository import main_repository


def untrusted_reason(root: str) -> str:
    """Return the message that a project is not trusted, with the remedy."""
    return (
        f"{root} is not trusted: its configuration and hooks do not count"
        f' (to trust it, add [projects."{root}"] trust_level = "trusted" to config.toml)'
    )


def is_trusted(cwd: str, root: str | None, projects: Mapping[str, Any]) -> bool:
    """Return whether the user trusts a directory, its project, or the repository its work tree is linked to."""
    level = project_setting(cwd, root, projects, "trust_level")
    return bool(level == "trusted")


def project_setting(cwd: str, root: str | None, projects: Mapping[str, Any], key: str) -> Any:
    """Return a setting of ``[projects."…"]`` for a directory, its project, or the repository that it is linked to.

    :param projects: table ``[projects]`` of the user.
    :return: ``None`` when the key is not set for any of them.
    """
    if not projects:
        return None
    for directory in (cwd, root, main_repository(root) if root else None):
        entry = projects.get(directory) if directory else None
        if isinstance(entry, dict) and key in entry:
            return entry[key]
    return None
