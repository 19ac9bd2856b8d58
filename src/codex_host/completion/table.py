"""What can be completed at each place of a command line."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from codex_hookspecs.terminal_text import escape_controls_in_line
from codex_hookspecs.values import frozen
from codex_host.command_syntax import CommandSyntax, Parameter, options_of
from codex_host.known_commands import Program

_NAME = re.compile(r"[\w.-]+")
FILES, DIRECTORIES, PROFILES, COMMANDS = "<files>", "<directories>", "<profiles>", "<commands>"
"""Values that the shell looks up: files, directories, profiles of config.toml, programs with their arguments."""
FEATURES, PLUGINS = "<features>", "<plugins>"
"""Values that are the same at many places; :attr:`Table.named` has them."""
_KINDS = {
    "FILE": FILES,
    "PATH": FILES,
    "DIR": DIRECTORIES,
    "PROFILE": PROFILES,
    "FEATURE": FEATURES,
    "PLUGIN": PLUGINS,
}


@frozen(kw_only=True)
class Choice:
    """An option that can be given at a place.

    :param values: its values: words, or one of the kinds above; empty for any text.
    :param valued: whether it takes a value.
    """

    names: tuple[str, ...]
    help: str
    values: tuple[str, ...] = ()
    valued: bool = False


@frozen(kw_only=True)
class Place:
    """A place of a command line: behind a command.

    :param path: the words before it, without options and arguments.
    :param commands: sub-commands with their help.
    :param arguments: values of the positional arguments, one after the other; the last one may repeat.
    :param trailing: the number of the positional argument, from one, that begins another command line; 0 for none.
    """

    path: tuple[str, ...]
    commands: tuple[tuple[str, str], ...]
    options: tuple[Choice, ...]
    arguments: tuple[tuple[str, ...], ...]
    trailing: int = 0


@frozen(kw_only=True)
class Table:
    """Everything that can be completed.

    :param places: the places, the program itself first.
    :param named: names of features and of plugins.
    """

    places: tuple[Place, ...]
    named: dict[str, tuple[str, ...]]


def read_table(program: Program) -> Table:
    """Return the table of a program, with what is installed now."""
    from codex_host.app import codex_home
    from codex_host.features import FeatureSwitches, rows
    from codex_host.plugins.discovery import found_plugins

    features = tuple(row[0] for row in rows(FeatureSwitches({})))
    plugins = tuple(plugin.name for plugin in found_plugins(codex_home(os.environ)) if _NAME.fullmatch(plugin.name))
    return Table(places=tuple(_places(program, [program.root], ())), named={FEATURES: features, PLUGINS: plugins})


def _places(program: Program, path: list[CommandSyntax], words: tuple[str, ...]) -> Iterator[Place]:
    command = path[-1]
    front = program.root.options if len(path) == 1 else ()
    own = options_of(path)
    taken = {name for option in own for name in option.names}
    general = [option for option in program.options if taken.isdisjoint(option.names)]
    yield Place(
        path=words,
        commands=tuple((each.name, _line(each.help)) for each in command.commands if each.help),
        options=tuple(_choice(option) for option in (*own, *front, *general) if option.help),
        arguments=tuple(_values(argument) for argument in command.arguments),
        trailing=command.trailing,
    )
    for each in command.commands:
        if each.help:
            inner = program.root.resolve(each.alias) if each.alias and len(path) == 1 else [*path, each]
            yield from _places(program, inner, (*words, each.name))


def _choice(option: Parameter) -> Choice:
    values = _values(option) if option.value else ()
    return Choice(names=option.names, help=_line(option.help), values=values, valued=bool(option.value))


def _values(parameter: Parameter) -> tuple[str, ...]:
    if parameter.values:
        return parameter.values
    kind = _KINDS.get(parameter.value)
    return (kind,) if kind else ()


def _line(text: str) -> str:
    return escape_controls_in_line(text)
