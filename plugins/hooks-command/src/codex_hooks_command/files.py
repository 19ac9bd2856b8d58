"""Read the files that declare hooks, each again only when it changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve

from codex_hookspecs.errors import ConfigError
from codex_hookspecs.files import parse_toml, read_text

from . import parsing
from .handlers import HookFile
from .presence import State, state_of

if TYPE_CHECKING:
    from codex_hookspecs.host import ConfigLayer

LONGEST_FILE = 4 * 1024 * 1024


class HookFiles:
    """Content by path and state (time of change, size, inode)."""

    def __init__(self) -> None:
        self._declared: dict[str, tuple[State, HookFile]] = {}
        self._tables: dict[str, tuple[State | None, Any]] = {}

    def read(self, path: str) -> HookFile | None:
        """Return what a hooks.json declares.

        :return: ``None`` when there is no such file.
        """
        try:
            state = state_of(path)
            if state is None:
                return None
            if (known := self._declared.get(path)) is not None and known[0] == state:
                return known[1]
            content = _declared_in(path)
        except OSError as error:
            return parsing.unreadable(f"failed to read hooks config {path}: {error.strerror or error}")
        if content is None:
            return None
        self._declared[path] = (state, content)
        return content

    def refreshed(self, layer: ConfigLayer, warnings: list[str]) -> ConfigLayer:
        """Return a layer with the ``[hooks]`` table that its config.toml has now.

        The host reads configuration once; hooks are picked up at the next turn.

        :param warnings: gets a text when the file can't be read any more; the table last known stays in force.
        """
        if layer.file is None or layer.disabled_reason is not None:
            return layer
        try:
            state = state_of(layer.file)
        except OSError:
            return layer
        known = self._tables.get(layer.file)
        if known is None or known[0] != state:
            before = layer.table.get("hooks", {}) if known is None else known[1]
            known = self._tables[layer.file] = (state, _hooks_table(layer.file, before, warnings))
        return evolve(layer, table={**layer.table, "hooks": known[1]})


def _declared_in(path: str) -> HookFile | None:
    # A repository can hold a link to a device that never ends.
    try:
        text = read_text(path, limit=LONGEST_FILE)
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
