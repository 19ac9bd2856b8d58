"""Read the files that configuration comes from, lowest precedence first."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from codex_hookspecs.environments.repository import project_root
from codex_hookspecs.errors import ConfigError
from codex_hookspecs.file_reading import parse_toml, read_text
from codex_hookspecs.types.config import ConfigLayer
from codex_host.config.keys import merge
from codex_host.config.schema import check_table
from codex_host.config.trust import trust_level, untrusted_reason

SYSTEM_FOLDER = "/etc/codex"
FILE_NAME = "config.toml"
PROJECT_FOLDER = ".codex"


FileState = tuple[int, int, int, int] | None
"""What tells whether a file has changed; ``None`` for a missing one."""


def state_of(file: str) -> FileState:
    """Return the state of a file."""
    try:
        found = os.stat(file)
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino, found.st_dev


def read_table(file: str, seen: dict[str, FileState] | None = None) -> dict[str, Any]:
    """Return the content of a TOML file; empty when the file is missing.

    :param seen: gets the state of the file before it was read.
    :raises ConfigError: when it can't be read or parsed; names file and line.
    """
    if seen is not None:
        seen[file] = state_of(file)
    text = read_text(file)
    if not text:
        return {}
    try:
        return parse_toml(text)
    except ValueError as error:
        raise ConfigError(f"is not TOML: {error}", source=file) from error


def base_layers(codex_home: str, seen: dict[str, FileState]) -> list[ConfigLayer]:
    """Read the layers that apply in every directory: system and user.

    :param seen: gets the states of the files.
    :raises ConfigError: when a file can't be used.
    """
    layers = []
    for kind, folder in (("system", SYSTEM_FOLDER), ("user", codex_home)):
        file = f"{folder}/{FILE_NAME}"
        table = read_table(file, seen)
        check_table(table, source=file)
        layers.append(ConfigLayer(kind=kind, folder=folder, file=file, table=table))  # type: ignore[arg-type]
    return layers


def profile_layers(
    name: str, codex_home: str, profiles: Mapping[str, Any], seen: dict[str, FileState]
) -> list[ConfigLayer]:
    """Return the layers of a profile: its table and its own file (``NAME.config.toml``, as of 0.169), the latter last.

    :param profiles: table ``[profiles]``.
    :param seen: gets the state of the file.
    :raises ConfigError: when neither exists, or the file can't be used.
    """
    layers = [ConfigLayer(kind="profile", table=profiles[name], derived=True)] if name in profiles else []
    file = f"{codex_home}/{name}.{FILE_NAME}"
    if "/" not in name and os.path.lexists(file):
        table = read_table(file, seen)
        check_table(table, source=file)
        layers.append(ConfigLayer(kind="profile", file=file, table=table))
    if not layers:
        known = ", ".join(sorted(profiles)) or "none"
        raise ConfigError(f"config profile `{name}` not found; there are: {known}")
    return layers


def project_layers(
    cwd: str, codex_home: str, projects: Mapping[str, Any], below: Mapping[str, Any], seen: dict[str, FileState]
) -> list[ConfigLayer]:
    """Read the ``.codex`` folders from the project's root down to a directory.

    The folders of an untrusted project are returned as disabled layers with the reason; their files are not parsed.

    :param projects: table ``[projects]`` of the layers below and the command line.
    :param below: effective configuration of the layers below.
    :param seen: gets the states of the files, also of those that may appear.
    :raises ConfigError: when a file can't be used.
    """
    root = project_root(cwd)
    level = trust_level(cwd, root, projects)
    layers = []
    for directory in _directories_between(root or cwd, cwd):
        folder = f"{directory.rstrip('/')}/{PROJECT_FOLDER}"
        file = f"{folder}/{FILE_NAME}"
        seen |= {folder: state_of(folder), file: state_of(file)}
        if not os.path.isdir(folder) or os.path.realpath(folder) == codex_home:
            continue
        levels = (level, trust_level(directory, root, projects))
        reason = None if levels == ("trusted", "trusted") else untrusted_reason(root or cwd)
        nested = directory != (root or cwd) or commands_can_write(file, directory)
        table, ignored = _project_table(file, below, nested=nested) if reason is None else ({}, ())
        below = merge(below, table)
        layers.append(
            ConfigLayer(
                kind="project",
                folder=folder,
                file=file,
                table=table,
                disabled_reason=reason,
                disabled_on_purpose="untrusted" in levels,
                nested=nested,
                ignored=ignored,
            )
        )
    return layers


def commands_can_write(file: str, root: str) -> bool:
    """Return whether sandboxed commands can have written a file of the ``.codex`` at a project's root.

    The sandbox protects that folder in its own workspace. It does not protect the target of a symbolic link in it, nor
    the ``.codex`` of a repository or work tree nested in another repository, which is part of the outer workspace. (An
    outer repository that contains the user's home directory does not count.)
    """
    real = os.path.realpath(root)
    if os.path.realpath(file) != os.path.join(real, os.path.relpath(file, root)):
        return True
    around = project_root(os.path.dirname(real)) if real != "/" else None
    return around is not None and not _holds(around, os.path.realpath(os.path.expanduser("~")))


def _holds(folder: str, path: str) -> bool:
    return f"{path}/".startswith(f"{folder.rstrip('/')}/")


def may_only_restrict(layer: ConfigLayer) -> bool:
    """Return whether rules of a layer may only forbid commands or require approval, not allow them."""
    project = layer.kind == "project" and layer.folder is not None
    return project and (layer.nested or commands_can_write(f"{layer.folder}/rules", os.path.dirname(f"{layer.folder}")))


def _project_table(file: str, below: Mapping[str, Any], *, nested: bool) -> tuple[dict[str, Any], tuple[str, ...]]:
    table = read_table(file)
    if not table:
        return {}, ()
    from codex_host.config.project_keys import restrict

    kept, ignored = restrict(table, below, nested=nested)
    check_table(kept, source=file)
    return kept, ignored


def _directories_between(root: str, cwd: str) -> list[str]:
    directories = [cwd]
    while directories[-1] != root and os.path.dirname(directories[-1]) != directories[-1]:
        directories.append(os.path.dirname(directories[-1]))
    return directories[::-1]
