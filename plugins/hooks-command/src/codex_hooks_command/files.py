"""Read the files that declare hooks, and cache them until they change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve

from codex_hooks_command import parsing
from codex_hooks_command.config_probe import FileState, file_state
from codex_hooks_command.handlers import HookFile
from codex_hookspecs.errors import ConfigError
from codex_hookspecs.files import parse_toml, read_text

if TYPE_CHECKING:
    from codex_hookspecs.host import ConfigLayer

MAX_FILE_BYTES = 4 * 1024 * 1024


class HookFiles:
    """Parsed files by path, cached with their state (modification time, size, inode, mode)."""

    def __init__(self) -> None:
        self._declared: dict[str, tuple[FileState, HookFile]] = {}
        self._tables: dict[str, tuple[FileState | None, Any]] = {}

    def read(self, path: str) -> HookFile | None:
        """Return the content of a hooks.json.

        :return: ``None`` when there is no such file.
        """
        try:
            state = file_state(path)
            if state is None:
                return None
            if (known := self._declared.get(path)) is not None and known[0] == state:
                return known[1]
            content = _parse_file(path)
        except OSError as error:
            return parsing.unreadable(f"failed to read hooks config {path}: {error.strerror or error}")
        if content is None:
            return None
        self._declared[path] = (state, content)
        return content

    def refresh(self, layer: ConfigLayer, warnings: list[str]) -> ConfigLayer:
        """Return a layer with the current ``[hooks]`` table of its config.toml.

        The host reads the configuration once, while changed hooks apply from the next turn on.

        :param warnings: receives a message when the file can't be read any more; the previous table is used then.
        """
        if layer.file is None or layer.disabled_reason is not None:
            return layer
        try:
            state = file_state(layer.file)
        except OSError:
            return layer
        known = self._tables.get(layer.file)
        if known is None or known[0] != state:
            before = layer.table.get("hooks", {}) if known is None else known[1]
            known = self._tables[layer.file] = (state, _hooks_table(layer.file, before, warnings))
        return evolve(layer, table={**layer.table, "hooks": known[1]})


def _parse_file(path: str) -> HookFile | None:
    # The file of a repository may be a link to an endless device.
    try:
        text = read_text(path, limit=MAX_FILE_BYTES)
    except ConfigError as error:
        return parsing.unreadable(f"failed to read hooks config {path}: {error.message}")
    return None if text is None else parsing.parse_json(text, path)


def _hooks_table(path: str, before: Any, warnings: list[str]) -> Any:
    try:
        return parse_toml(read_text(path) or "").get("hooks", {})
    except ConfigError as error:
        warnings.append(f"failed to read hooks of {path} again: {error.message}")
        return before
    except ValueError as error:
        warnings.append(f"failed to read hooks of {path} again: {error}")
        return before
