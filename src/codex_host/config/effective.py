"""Merge configuration layers into the effective configuration."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from codex_hookspecs.environments.repository import project_root
from codex_hookspecs.errors import ConfigError
from codex_hookspecs.types.config import ConfigLayer
from codex_host.config.keys import lookup, merge, nested
from codex_host.config.layers import base_layers, profile_layers, project_layers
from codex_host.config.schema import check_table
from codex_host.config.trust import project_setting


class EffectiveConfig:
    """The configuration of one directory.

    :param codex_home: absolute path of ``$CODEX_HOME``.
    :param cwd: directory whose project configuration applies.
    :param flags: session flags, dotted keys.
    :param profile: profile named on the command line, or ``None``.
    :param strict: reject unknown keys.
    :raises ConfigError: when a file or flag can't be used, or the profile does not exist.
    """

    def __init__(
        self,
        codex_home: str,
        *,
        cwd: str,
        flags: Mapping[str, Any] | None = None,
        profile: str | None = None,
        base: Sequence[ConfigLayer] | None = None,
        strict: bool = False,
    ) -> None:
        self._home = codex_home
        self.flags = dict(flags or {})
        self._profile = profile
        self._strict = strict
        self._base = list(base) if base is not None else base_layers(codex_home)
        self.layers: tuple[ConfigLayer, ...] = tuple(self._stack(cwd))
        self.table: dict[str, Any] = _merged(self.layers)
        self._directories: dict[str, EffectiveConfig] = {cwd: self}
        if strict:
            _refuse_unknown(self.layers)

    def _stack(self, cwd: str) -> list[ConfigLayer]:
        flags = nested(self.flags)
        check_table(flags, source="command line")
        layers = [_for_project(layer, cwd) for layer in self._base]
        below = _merged(layers)
        layers += project_layers(cwd, self._home, merge(below, flags).get("projects", {}), below)
        name = self._profile or flags.get("profile") or _merged(layers).get("profile")
        if name:
            layers += profile_layers(name, self._home, merge(_merged(layers), flags).get("profiles", {}))
        layers.append(ConfigLayer(kind="sessionFlags", table=flags))
        return layers

    def get(self, key: str, default: Any = None) -> Any:
        """Return the effective value of a dotted key."""
        return lookup(self.table, key, default)

    def origin(self, key: str) -> str | None:
        """Return the file or flag that set a dotted key, or ``None``."""
        missing = object()
        for layer in reversed(self.layers):
            if layer.disabled_reason is None and lookup(layer.table, key, missing) is not missing:
                return layer.file or {"profile": "profile", "sessionFlags": "command line"}.get(layer.kind, layer.kind)
        return None

    def warnings(self) -> list[str]:
        """Return warnings about the files: ignored keys, probable typos, untrusted projects, each with the remedy."""
        ignored = [
            _ignored_keys(layer, self._home) for layer in self.layers if layer.ignored and layer.disabled_reason is None
        ]
        typos = [
            f"{source}: unknown key {key} is ignored; did you mean {near}?"
            for source, key, near in _unknown(self.layers)
            if near is not None
        ]
        untrusted = [
            f"{layer.file} does not count: {layer.disabled_reason}"
            for layer in self.layers
            if layer.disabled_reason is not None and layer.file is not None and os.path.lexists(layer.file)
        ]
        return [*untrusted, *ignored, *typos]

    def for_directory(self, cwd: str, overrides: Mapping[str, Any] | None = None) -> EffectiveConfig:
        """Return the configuration of a directory, with further session flags."""
        if not overrides:
            found = self._directories.get(cwd)
            if found is not None:
                return found
        flags = {**self.flags, **(overrides or {})}
        made = EffectiveConfig(
            self._home, cwd=cwd, flags=flags, profile=self._profile, base=self._base, strict=self._strict
        )
        if not overrides:
            self._directories[cwd] = made
        return made

    def write_user(self, edits: Mapping[str, Any]) -> None:
        """Set dotted keys in the user's ``config.toml``; ``None`` deletes a key."""
        from codex_host.config.edit import edit_file

        edit_file(f"{self._home}/config.toml", edits)


def _merged(layers: Sequence[ConfigLayer]) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for layer in layers:
        if layer.disabled_reason is None and layer.table:
            table = merge(table, layer.table)
    return table


def _for_project(layer: ConfigLayer, cwd: str) -> ConfigLayer:
    """Return a layer of the user with its settings of plugins for one project merged in."""
    projects = layer.table.get("projects", {})
    if not any("plugins" in entry for entry in projects.values()):
        return layer
    from attrs import evolve

    plugins = project_setting(cwd, project_root(cwd), projects, "plugins") or {}
    return evolve(layer, table=merge(layer.table, {"plugins": plugins}))


def _ignored_keys(layer: ConfigLayer, home: str) -> str:
    keys = ", ".join(layer.ignored)
    if not layer.nested:
        return (
            f"{layer.file} sets what a project can't set, which is ignored: {keys} (if you want it, set it in "
            f"{home}/config.toml or with -c)"
        )
    return (
        f"{layer.file} is where sandboxed commands can write, so it can only make sandbox and approval stricter; "
        f"ignored: {keys} (if you want it, set it in {home}/config.toml or at the root of the whole project)"
    )


def _unknown(layers: Sequence[ConfigLayer]) -> Iterator[tuple[str, str, str | None]]:
    """Yield source, key and suggestion for each unknown key."""
    from codex_host.config.known_keys import unknown_keys

    for layer in layers:
        # The table of a profile stands in the file of the user, too.
        if layer.disabled_reason is None and (layer.kind != "profile" or layer.file is not None):
            for found in unknown_keys(layer.table):
                yield layer.file or "command line", found.key, found.near


def _refuse_unknown(layers: Sequence[ConfigLayer]) -> None:
    for source, key, near in _unknown(layers):
        meant = "" if near is None else f"; did you mean {near}?"
        raise ConfigError(f"unknown key {key}{meant} (refused because of --strict-config)", source=source)
