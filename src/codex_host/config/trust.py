"""Tell whether the user trusts a project."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from codex_hookspecs.environments.repository import main_repository


def untrusted_reason(root: str) -> str:
    """Say that a project is not trusted and what changes it."""
    return (
        f"{root} is not trusted: its configuration and hooks do not count"
        f' (to trust it, add [projects."{root}"] trust_level = "trusted" to config.toml)'
    )


def is_trusted(cwd: str, root: str | None, projects: Mapping[str, Any]) -> bool:
    """Tell whether the user trusts a directory, its project, or the repository its work tree is linked to."""
    level = project_setting(cwd, root, projects, "trust_level")
    return bool(level == "trusted")


def project_setting(cwd: str, root: str | None, projects: Mapping[str, Any], key: str) -> Any:
    """Return what ``[projects."…"]`` says of a directory, else of its project, else of the repository it is linked to.

    :param projects: table ``[projects]`` of the user.
    :return: ``None`` when none of them has the key.
    """
    if not projects:
        return None
    for directory in (cwd, root, main_repository(root) if root else None):
        entry = projects.get(directory) if directory else None
        if isinstance(entry, dict) and key in entry:
            return entry[key]
    return None
