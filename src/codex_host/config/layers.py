"""Read the files that configuration comes from, lowest precedence first."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from codex_hookspecs.config_rules import check_table
from codex_hookspecs.errors import ConfigError
from codex_hookspecs.project_trust import is_trusted, project_root, untrusted_reason
from codex_hookspecs.types.config import ConfigLayer

SYSTEM_FOLDER = "/etc/codex"
FILE_NAME = "config.toml"
PROJECT_FOLDER = ".codex"


def read_table(file: str) -> dict[str, Any]:
    """Return the content of a TOML file; a missing file is empty.

    :raises ConfigError: when it can't be read or parsed, or a key has a wrong value; names file and line or key.
    """
    if Path(file).is_fifo():
        raise ConfigError("is a pipe, which is not waited for; expected a file", source=file)
    try:
        data = Path(file).read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"can't be read: {error.strerror or error}", source=file) from error
    import tomllib

    try:
        table = tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ConfigError(f"is not UTF-8 (byte {error.start})", source=file) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"is not TOML: {error}", source=file) from error
    check_table(table, source=file)
    return table


def base_layers(codex_home: str) -> list[ConfigLayer]:
    """Read the layers that hold everywhere: system and user."""
    system = f"{SYSTEM_FOLDER}/{FILE_NAME}"
    user = f"{codex_home}/{FILE_NAME}"
    return [
        ConfigLayer(kind="system", folder=SYSTEM_FOLDER, file=system, table=read_table(system)),
        ConfigLayer(kind="user", folder=codex_home, file=user, table=read_table(user)),
    ]


def project_layers(cwd: str, codex_home: str, projects: Mapping[str, Any]) -> list[ConfigLayer]:
    """Read the ``.codex`` folders from the project's root down to a directory.

    A folder of an untrusted project is listed with the reason and its files are not parsed.

    :param projects: table ``[projects]`` of the layers below.
    """
    root = project_root(cwd)
    trusted = is_trusted(cwd, root, projects)
    reason = None if trusted else untrusted_reason(root or cwd)
    layers = []
    for directory in _downward(root or cwd, cwd):
        folder = f"{directory.rstrip('/')}/{PROJECT_FOLDER}"
        if folder == codex_home or not os.path.isdir(folder):
            continue
        file = f"{folder}/{FILE_NAME}"
        table = read_table(file) if trusted else {}
        nested = directory != (root or cwd)
        layers.append(
            ConfigLayer(kind="project", folder=folder, file=file, table=table, disabled_reason=reason, nested=nested)
        )
    return layers


def _downward(root: str, cwd: str) -> list[str]:
    directories = [cwd]
    while directories[-1] != root and os.path.dirname(directories[-1]) != directories[-1]:
        directories.append(os.path.dirname(directories[-1]))
    return directories[::-1]
