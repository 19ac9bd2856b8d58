"""Read ``codex-plugin.toml``, the description of a plugin that is read without importing it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from attrs import field

from codex_hookspecs.errors import ConfigError, ManifestError
from codex_hookspecs.file_reading import parse_toml, read_text
from codex_hookspecs.values import frozen

if TYPE_CHECKING:
    from codex_host.command_syntax import CommandSyntax

API = 1
"""Version of the contracts; a plugin that asks for another one is not loaded."""

FILE_NAME = "codex-plugin.toml"
PLATFORMS = ("linux", "macos", "windows")
_LISTS = ("platforms", "hooks", "needs", "before", "after")
_KEYS = {"name", "version", "api", "description", "commands", "settings", *_LISTS}


@frozen(kw_only=True)
class Manifest:
    """The manifest of a plugin.

    :param name: entry-point name.
    :param version: version to display; the distribution's if empty.
    :param api: version of the contracts it was written for.
    :param platforms: supported platforms; empty for all.
    :param hooks: names of the hooks it implements, for listings.
    :param commands: sub-commands it offers, with their one-line help; an empty help hides the command in ``--help``.
    :param trailing: for a sub-command that ends with another command line, the index (from one) of the positional
        argument that begins it; options from there on belong to that command line.
    :param valued: names of the options of such a sub-command that take a value.
    :param wordless: sub-commands that can be called without any word after them.
    :param needs: plugins it depends on.
    :param before: plugins that it is called before, in every hook that both implement.
    :param after: plugins that it is called after.
    :param settings: documentation of its settings, by key.
    """

    name: str
    api: int
    version: str = ""
    description: str = ""
    platforms: tuple[str, ...] = ()
    hooks: tuple[str, ...] = ()
    commands: dict[str, str] = field(factory=dict)
    trailing: dict[str, int] = field(factory=dict)
    valued: dict[str, list[str]] = field(factory=dict)
    wordless: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    settings: dict[str, str] = field(factory=dict)


@frozen(kw_only=True)
class FoundPlugin:
    """A plugin that is installed.

    :param value: ``module`` or ``module:attribute``.
    :param info: metadata folder of its distribution (``*.dist-info``), or the empty string.
    :param manifest: its manifest, or ``None`` if it can't be read.
    :param folder: directory of its top-level package, or the empty string.
    :param problem: why it can't be used at all (no manifest, a name taken twice), or the empty string.
    :param first_party: whether the host's metadata names its distribution, so that it needs no trust.
    """

    name: str
    value: str
    distribution: str
    version: str
    folder: str = ""
    info: str = ""
    manifest: Manifest | None = None
    problem: str = ""
    first_party: bool = False


def read_manifest(path: str, *, plugin: str) -> Manifest:
    """Read a manifest file.

    :param plugin: entry-point name, which the manifest must repeat.
    :raises ManifestError: when the file is missing or invalid; names file, key, what was found and what is allowed.
    """
    try:
        text = read_text(path)
        if text is None:
            hint = "if it is among the sources, the wheel was built without it: with setuptools, "
            package = os.path.basename(os.path.dirname(path))
            hint += f'[tool.setuptools.package-data] has to have {package} = ["{FILE_NAME}"]'
            raise ManifestError(f"{path} is missing; a plugin needs one (api = {API}); {hint}", plugin=plugin)
        table = parse_toml(text)
    except ConfigError as error:
        raise ManifestError(str(error), plugin=plugin) from error
    except ValueError as error:
        raise ManifestError(f"{path} can't be read: {error}", plugin=plugin) from error
    return manifest_from_table(table, source=path, plugin=plugin)


def manifest_from_table(table: dict[str, Any], *, source: str, plugin: str) -> Manifest:
    """Validate a parsed manifest.

    :param source: file for messages.
    :raises ManifestError: as :func:`read_manifest`.
    """

    def wrong(key: str, allowed: str) -> ManifestError:
        return ManifestError(f"{source}: {key} = {table.get(key)!r}, allowed is {allowed}", plugin=plugin)

    unknown = sorted(set(table) - _KEYS)
    if unknown:
        allowed = ", ".join(sorted(_KEYS))
        raise ManifestError(f"{source}: unknown key {unknown[0]!r}, allowed are {allowed}", plugin=plugin)
    if table.get("name") != plugin:
        raise wrong("name", f"the entry-point name {plugin!r}")
    if type(table.get("api")) is not int:
        raise wrong("api", f"a number, now {API}")
    for key in ("version", "description"):
        if not isinstance(table.get(key, ""), str):
            raise wrong(key, "text")
    for key in _LISTS:
        if not _is_list_of_text(table.get(key, [])):
            raise wrong(key, "a list of names")
    if not set(table.get("platforms", [])) <= set(PLATFORMS):
        raise wrong("platforms", f"a list out of {', '.join(PLATFORMS)}")
    settings = table.get("settings", {})
    if not isinstance(settings, dict) or not all(isinstance(text, str) for text in settings.values()):
        raise wrong("settings", "a table with a line of text for each")
    syntax = _commands(table.get("commands", {}), source=source, plugin=plugin)
    return Manifest(
        name=plugin,
        api=table["api"],
        version=table.get("version", ""),
        description=table.get("description", ""),
        platforms=tuple(table.get("platforms", ())),
        hooks=tuple(table.get("hooks", ())),
        commands={command.name: command.help for command in syntax},
        trailing={command.name: command.trailing for command in syntax if command.trailing},
        valued={
            command.name: [name for option in command.options if option.value for name in option.names]
            for command in syntax
            if command.trailing
        },
        wordless=tuple(command.name for command in syntax if command.wordless),
        needs=tuple(table.get("needs", ())),
        before=tuple(table.get("before", ())),
        after=tuple(table.get("after", ())),
        settings=dict(settings),
    )


def _commands(table: Any, *, source: str, plugin: str) -> list[CommandSyntax]:
    from codex_host.command_syntax import SyntaxProblem, read_syntax

    if not isinstance(table, dict):
        allowed = "a table with a line of help for each"
        raise ManifestError(f"{source}: commands = {table!r}, allowed is {allowed}", plugin=plugin)
    try:
        return [read_syntax(name, value) for name, value in table.items()]
    except SyntaxProblem as problem:
        raise ManifestError(f"{source}: commands.{problem}", plugin=plugin) from problem


def _is_list_of_text(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(part, str) for part in value)
