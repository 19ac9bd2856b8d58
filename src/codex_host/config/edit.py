"""Change keys of a TOML file, keeping its comments and layout."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomlkit

from codex_hookspecs.config_keys import split_key
from codex_hookspecs.errors import ConfigError
from codex_hookspecs.state_file import replace_file


def edit_file(file: str, edits: Mapping[str, Any]) -> None:
    """Set dotted keys; ``None`` deletes one. The file is replaced as a whole and keeps its mode.

    :raises ConfigError: when the file is not TOML or can't be written; it is unchanged then.
    """
    path = Path(os.path.realpath(file))
    try:
        text = path.read_bytes().decode("utf-8") if path.exists() else ""
        document = tomlkit.parse(text)
        for key, value in edits.items():
            _set(document, split_key(key), value, file=file)
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
        replace_file(path, tomlkit.dumps(document), mode=mode)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"can't be changed: {error}", source=file) from error
    except tomlkit.exceptions.TOMLKitError as error:
        raise ConfigError(f"is not TOML: {error}", source=file) from error


def _set(table: Any, path: list[str], value: Any, *, file: str) -> None:
    *parents, last = path
    for part in parents:
        if part not in table:
            if value is None:
                return
            table[part] = tomlkit.table(is_super_table=part != parents[-1])
        table = table[part]
        if not isinstance(table, dict):
            raise ConfigError(f"{part} is {table}, which is not a table", source=file)
    if value is None:
        table.pop(last, None)
    else:
        table[last] = value
