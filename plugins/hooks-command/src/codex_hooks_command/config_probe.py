"""Check cheaply whether any hook is configured, so that a turn without hooks imports nothing else of the plugin."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from codex_hookspecs.host import ConfigLayer

FILE_NAME = "hooks.json"
FileState = tuple[int, int, int, int]
"""Modification time, size, inode and mode of a file."""

SETTINGS = frozenset({"fail_closed", "fail_open", "max_stop_blocks", "state"})
"""Keys of the ``[hooks]`` table that are not events."""


def has_hooks(layers: Sequence[ConfigLayer]) -> bool:
    """Return whether any layer has a hooks.json, or events in its ``[hooks]`` table."""
    return any(
        (layer.folder is not None and os.path.exists(f"{layer.folder}/{FILE_NAME}"))
        or not SETTINGS.issuperset(layer.table.get("hooks") or ())
        for layer in layers
    )


def file_state(path: str) -> FileState | None:
    """Return the state by which a change of a file is detected.

    :return: ``None`` when there is no such file.
    :raises OSError: when it can't be queried.
    """
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino, status.st_mode
