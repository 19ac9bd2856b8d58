"""Merge configuration layers into the effective configuration."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from codex_hookspecs.environments.repository import project_root
from codex_hookspecs.errors import ConfigError
from codex_hookspecs.types.config import ConfigChange, ConfigLayer
from codex_host.config.keys import lookup, merge, nested
from codex_host.config.layers import (
    FILE_NAME,
    SYSTEM_FOLDER,
    FileState,
    base_layers,
    profile_layers,
    project_layers,
    state_of,
)
from codex_host.config.schema import check_table
from codex_host.config.trust import project_setting, trust_level

if TYPE_CHECKING:
    from codex_hookspecs.protocol import ConfigEdit

CheckProvider = Callable[[str, Mapping[str, Any]], None]
"""Raises ``ConfigError`` when no provider could be made of a table."""
_CHOICES_OF_SANDBOX = {"sandbox_mode", "default_permissions"}
_MAX_DIRECTORIES = 64
"""Directories whose configuration is kept."""


class EffectiveConfig:
    """The configuration of one directory as it is now; :class:`LiveConfig` follows the files.

    :param codex_home: absolute path of ``$CODEX_HOME``.
    :param cwd: directory whose project configuration applies; with ``None``, that of no project.
    :param flags: session flags, dotted keys.
    :param profile: profile named on the command line, or ``None``.
    :param base: layers of system and user; read from their files if ``None``.
    :param strict: reject unknown keys.
    :raises ConfigError: when a file or flag can't be used, or the profile does not exist.
    """

    def __init__(
        self,
        codex_home: str,
        *,
        cwd: str | None,
        flags: Mapping[str, Any] | None = None,
        profile: str | None = None,
        base: Sequence[ConfigLayer] | None = None,
        strict: bool = False,
    ) -> None:
        self._home = codex_home
        self.flags = dict(flags or {})
        self._profile = profile
        self._strict = strict
        self._seen: dict[str, FileState] = {}
        self._base = list(base) if base is not None else base_layers(codex_home, self._seen)
        self.layers: tuple[ConfigLayer, ...] = tuple(self._stack(cwd))
        self.table: dict[str, Any] = _merged(self.layers)
        if cwd is not None:
            self._set_defaults(self._trust_level(cwd))
        if strict:
            _refuse_unknown(self.layers)

    def _stack(self, cwd: str | None) -> list[ConfigLayer]:
        flags = nested(self.flags)
        check_table(flags, source="command line")
        layers = [part for layer in self._base for part in _with_project(layer, cwd)]
        below = _merged(layers)
        if cwd is not None:
            projects = merge(below, flags).get("projects", {})
            layers += project_layers(cwd, self._home, projects, below, self._seen)
        name = self._profile or flags.get("profile") or _merged(layers).get("profile")
        if name:
            profiles = merge(_merged(layers), flags).get("profiles", {})
            layers += profile_layers(name, self._home, profiles, self._seen)
        layers.append(ConfigLayer(kind="sessionFlags", table=flags))
        return layers

    def _set_defaults(self, level: str | None) -> None:
        """Set what depends on whether the user trusts the project, where nothing else says it."""
        if level == "trusted" and not _CHOICES_OF_SANDBOX & self.table.keys():
            self.table["sandbox_mode"] = "workspace-write"
        elif level == "untrusted":
            self.table.setdefault("approval_policy", "untrusted")

    def _trust_level(self, cwd: str) -> str | None:
        """Return what the user, and not a project, says of the project of a directory."""
        own = [layer for layer in self.layers if layer.kind != "project"]
        return trust_level(cwd, project_root(cwd), _merged(own).get("projects", {}))

    @property
    def user_file(self) -> str:
        """Path of the user's ``config.toml``, which may not exist."""
        return f"{self._home}/{FILE_NAME}"

    def is_current(self) -> bool:
        """Return whether none of the files has changed since they were read."""
        return all(state_of(file) == state for file, state in self._seen.items())

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

    def chosen_keys(self, overrides: Mapping[str, Any], *, flags: bool) -> frozenset[str]:
        """Return the first parts of the keys that were set on purpose, rather than in files.

        :param overrides: the client's overrides, dotted keys or tables.
        :param flags: whether session flags and the profile named on the command line count.
        """
        keys = {key.partition(".")[0] for key in (*overrides, *(self.flags if flags else ()))}
        if "profile" in keys or (flags and self._profile):
            keys.update(key for layer in self.layers if layer.kind == "profile" for key in layer.table)
        return frozenset(keys)

    def warnings(self) -> list[str]:
        """Return warnings about the files: ignored keys, probable typos, untrusted projects, each with the remedy.

        A project whose ``trust_level`` is ``untrusted`` is not among them: the user has decided.
        """
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
            if layer.disabled_reason is not None
            and layer.file is not None
            and os.path.lexists(layer.file)
            and not layer.disabled_on_purpose
        ]
        return [*_unenforced(), *untrusted, *ignored, *typos]

    def for_directory(self, cwd: str | None, overrides: Mapping[str, Any] | None = None) -> EffectiveConfig:
        """Return the configuration of a directory, or of no project, with further session flags.

        The files of system and user are not read again.

        :param overrides: the client's overrides, dotted keys or tables.
        """
        if overrides:
            check_table(nested(overrides), source="config of the request")
        made = self._with(cwd, {**self.flags, **(overrides or {})}, self._base)
        made._seen |= {file: state for file, state in self._seen.items() if file not in made._seen}
        return made

    def reread(self, cwd: str | None) -> EffectiveConfig:
        """Return the configuration of a directory with all files read again."""
        return self._with(cwd, self.flags, None)

    def write_user(self, edits: Mapping[str, Any]) -> None:
        """Set dotted keys in the user's ``config.toml``; ``None`` deletes a key."""
        from codex_host.config.edit import edit_file

        edit_file(self.user_file, edits)

    def edit_user(
        self,
        edits: Sequence[ConfigEdit],
        *,
        expected_version: str | None = None,
        check_provider: CheckProvider | None = None,
    ) -> ConfigChange:
        """Change the user's ``config.toml``; see :class:`~codex_hookspecs.ports.host.Config`.

        :param check_provider: checks the tables of model providers that the edits change.
        """
        from codex_host.config.edit import change_file

        def check(table: dict[str, Any]) -> None:
            self._check_user(table)
            for name, provider in table.get("model_providers", {}).items():
                if check_provider is not None and provider != self.get("model_providers", {}).get(name):
                    check_provider(name, provider)

        version = change_file(self.user_file, edits, expected_version=expected_version, check=check)
        return self.reread(None).change_of([edit.key_path for edit in edits], version)

    def change_of(self, keys: Sequence[str], version: str) -> ConfigChange:
        """Return what a change of keys in the user's file led to."""
        missing = object()
        at = next(number for number, layer in enumerate(self.layers) if layer.kind == "user")
        for key in keys:
            effective, own = self.get(key, missing), lookup(self.layers[at].table, key, missing)
            if effective is not missing and effective != own:
                for layer in reversed(self.layers[at + 1 :]):
                    if lookup(layer.table, key, missing) is not missing:
                        return ConfigChange(version=version, overridden_by=layer, effective_value=effective)
        return ConfigChange(version=version)

    def _check_user(self, table: dict[str, Any]) -> None:
        """Check that the program could run with another table of the user.

        :raises ConfigError: when it could not.
        """
        check_table(table, source=self.user_file)
        base = [attrs.evolve(layer, table=table) if layer.kind == "user" else layer for layer in self._base]
        self._with(None, self.flags, base)

    def _with(self, cwd: str | None, flags: Mapping[str, Any], base: Sequence[ConfigLayer] | None) -> EffectiveConfig:
        return EffectiveConfig(self._home, cwd=cwd, flags=flags, profile=self._profile, base=base, strict=self._strict)


class LiveConfig:
    """The configuration of one directory, and of every other one, read again when a file has changed.

    Files are looked at when the configuration of a directory is asked for: for each new thread and each turn. Threads
    keep the configuration that they were started with.

    :param now: the configuration at the start of the program.
    :param cwd: its directory.
    :ivar check_provider: called with the name and table of a model provider that a client wants to write.
    """

    def __init__(self, now: EffectiveConfig, cwd: str) -> None:
        self._now = now
        self._cwd = cwd
        self._directories: dict[str | None, EffectiveConfig] = {cwd: now}
        self.check_provider: CheckProvider | None = None

    @property
    def layers(self) -> Sequence[ConfigLayer]:
        """All layers, lowest precedence first."""
        return self._now.layers

    @property
    def table(self) -> Mapping[str, Any]:
        """The merged table of all enabled layers."""
        return self._now.table

    @property
    def flags(self) -> Mapping[str, Any]:
        """The session flags, dotted keys."""
        return self._now.flags

    def get(self, key: str, default: Any = None) -> Any:
        """Return the effective value of a dotted key."""
        return self._now.get(key, default)

    def origin(self, key: str) -> str | None:
        """Return the file or flag that set a dotted key, or ``None``."""
        return self._now.origin(key)

    def for_directory(self, cwd: str | None, overrides: Mapping[str, Any] | None = None) -> EffectiveConfig:
        """Return the configuration of a directory, or of no project, with further session flags.

        :raises ConfigError: when a file that has changed can't be used; what was read before stays in force for others.
        """
        self._refresh()
        if overrides:
            return self._now.for_directory(cwd, overrides)
        found = self._directories.get(cwd)
        if found is None or not found.is_current():
            found = self._now.for_directory(cwd)
            if len(self._directories) >= _MAX_DIRECTORIES:
                self._directories = {self._cwd: self._now}
            self._directories[cwd] = found
        return found

    def warnings(self) -> Sequence[str]:
        """Return warnings about the files."""
        return self._now.warnings()

    def write_user(self, edits: Mapping[str, Any]) -> None:
        """Set dotted keys in the user's ``config.toml``; ``None`` deletes a key."""
        self._now.write_user(edits)
        self._refresh()

    def edit_user(self, edits: Sequence[ConfigEdit], *, expected_version: str | None = None) -> ConfigChange:
        """Change the user's ``config.toml``; see :class:`~codex_hookspecs.ports.host.Config`."""
        change = self._now.edit_user(edits, expected_version=expected_version, check_provider=self.check_provider)
        self._refresh()
        return change

    def _refresh(self) -> None:
        if not self._now.is_current():
            now = self._now.reread(self._cwd)
            self._now, self._directories = now, {self._cwd: now}


def _unenforced() -> list[str]:
    """Return a warning if an administrator requires what this version does not enforce."""
    file = f"{SYSTEM_FOLDER}/requirements.toml"
    return [f"{file} is not enforced by this version of the program"] if os.path.lexists(file) else []


def _merged(layers: Sequence[ConfigLayer]) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for layer in layers:
        if layer.disabled_reason is None and layer.table:
            table = merge(table, layer.table)
    return table


def _with_project(layer: ConfigLayer, cwd: str | None) -> Iterator[ConfigLayer]:
    """Yield a layer, and its settings of plugins for one project as a layer of their own."""
    yield layer
    projects = layer.table.get("projects", {})
    if cwd is not None and any("plugins" in entry for entry in projects.values()):
        plugins = project_setting(cwd, project_root(cwd), projects, "plugins")
        if plugins:
            yield ConfigLayer(kind=layer.kind, file=layer.file, table={"plugins": plugins}, derived=True)


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
        if layer.disabled_reason is None and not layer.derived:
            for found in unknown_keys(layer.table):
                yield layer.file or "command line", found.key, found.near


def _refuse_unknown(layers: Sequence[ConfigLayer]) -> None:
    for source, key, near in _unknown(layers):
        meant = "" if near is None else f"; did you mean {near}?"
        raise ConfigError(f"unknown key {key}{meant} (refused because of --strict-config)", source=source)
