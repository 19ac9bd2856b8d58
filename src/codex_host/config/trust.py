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


def trust_level(cwd: str, root: str | None, projects: Mapping[str, Any]) -> str | None:
    """Return what the user says of a directory, its project, or the repository that it is linked to.

    :param projects: table ``[projects]`` of the user.
    :return: ``trusted``, ``untrusted``, or ``None`` when nothing is said. Of several spellings of one path that
        contradict each other, ``untrusted`` counts.
    """
    found = _settings(cwd, root, projects, "trust_level")
    if not found:
        return None
    return "trusted" if all(level == "trusted" for level in found) else "untrusted"


def project_setting(cwd: str, root: str | None, projects: Mapping[str, Any], key: str) -> Any:
    """Return a setting of ``[projects."…"]`` for a directory, its project, or the repository that it is linked to.

    :param projects: table ``[projects]`` of the user.
    :return: ``None`` when the key is not set for any of them.
    """
    found = _settings(cwd, root, projects, key)
    return found[0] if found else None


def _settings(cwd: str, root: str | None, projects: Mapping[str, Any], key: str) -> list[Any]:
    """Return the values of a key for the nearest directory that has any, that of its exact path first."""
    if not projects:
        return []
    for directory in (cwd, root, main_repository(root) if root else None):
        if directory is None:
            continue
        entries = [projects.get(directory), *_other_spellings(directory, projects)]
        found = [entry[key] for entry in entries if isinstance(entry, dict) and key in entry]
        if found:
            return found
    return []


def _other_spellings(directory: str, projects: Mapping[str, Any]) -> list[Any]:
    """Return the entries whose path is a directory's, but for slashes and dots that change nothing."""
    return [entry for path, entry in projects.items() if path != directory and _plain(path) == directory]


def _plain(path: str) -> str:
    """Return a path without doubled and trailing slashes and ``.``; ``..`` stays, since links may lead elsewhere."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    return f"/{'/'.join(parts)}" if path.startswith("/") else path
