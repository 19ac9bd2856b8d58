"""Change keys of a TOML file, keeping its comments and layout."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomlkit

from codex_hookspecs.errors import ConfigError
from codex_hookspecs.file_reading import read_text
from codex_hookspecs.state_file import locked, replace_file
from codex_host.config.keys import split_key


def edit_file(file: str, edits: Mapping[str, Any]) -> None:
    """Set dotted keys; ``None`` deletes one. The file is replaced as a whole and keeps its mode.

    A lock file serializes changes by several processes.

    :raises ConfigError: when the file is not TOML or can't be written; the file is unchanged then.
    """
    try:
        with locked(file):
            _edit(Path(os.path.realpath(file)), edits, file=file)
    except OSError as error:
        raise ConfigError(f"can't be changed: {error.strerror or error}", source=file) from error
    except (tomlkit.exceptions.TOMLKitError, RecursionError) as error:
        raise ConfigError(f"is not TOML: {error}", source=file) from error


def _edit(path: Path, edits: Mapping[str, Any], *, file: str) -> None:
    text = read_text(file)
    mark = "" if text is None else _byte_order_mark(path)
    document = tomlkit.parse(text or "")
    for key, value in edits.items():
        _set(document, split_key(key), value, file=file)
    mode = 0o600 if text is None else path.stat().st_mode & 0o777
    replace_file(path, f"{mark}{tomlkit.dumps(document)}", mode=mode)


def _byte_order_mark(path: Path) -> str:
    """Return the byte order mark of a file, so that it can be written back."""
    with path.open("rb") as file:
        return "\ufeff" if file.read(3) == b"\xef\xbb\xbf" else ""


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
