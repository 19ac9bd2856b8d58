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
FEATURES, PLUGINS, FOREIGN_PLUGINS = "<features>", "<plugins>", "<foreign-plugins>"
"""Values that are the same at many places; :attr:`Table.named` has them."""
PROFILES_OF_HOME = r"""    {
        sed -n -e 's/^\[profiles\.\([A-Za-z0-9_-]*\)[].].*/\1/p' \
            -e 's/^\[profiles\."\([A-Za-z0-9_. -]*\)"[].].*/\1/p' "$home/config.toml"
        ls "$home" | sed -n 's/^\([A-Za-z0-9_. -]*\)\.config\.toml$/\1/p'
    } 2>/dev/null | sort -u"""
"""Commands of a shell that print the names of profiles; ``home`` is the directory of the program's files.

Names with other characters, which a shell could take for more than text, are left out.
"""
_KINDS = {
    "FILE": FILES,
    "PATH": FILES,
    "DIR": DIRECTORIES,
    "PROFILE": PROFILES,
    "FEATURE": FEATURES,
    "PLUGIN": PLUGINS,
}


_ABOUT_TRUST = (("plugins", "trust"), ("plugins", "distrust"))
"""Commands for plugins that the program does not come with."""


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
    found = [plugin for plugin in found_plugins(codex_home(os.environ)) if _NAME.fullmatch(plugin.name)]
    named = {
        FEATURES: features,
        PLUGINS: tuple(plugin.name for plugin in found),
        FOREIGN_PLUGINS: tuple(plugin.name for plugin in found if not plugin.first_party),
    }
    help_places = _help_places(program, [program.root], ("help",))
    return Table(places=(*_places(program, [program.root], ()), *help_places), named=named)


def _places(program: Program, path: list[CommandSyntax], words: tuple[str, ...]) -> Iterator[Place]:
    command = path[-1]
    front = program.root.options if len(path) == 1 else ()
    own = options_of(path)
    taken = {name for option in own for name in option.names}
    general = [option for option in program.options if taken.isdisjoint(option.names)]
    if words == ("help",):
        return  # _help_places yields it.
    yield Place(
        path=words,
        commands=tuple((each.name, _line(each.help)) for each in command.commands if each.help),
        options=tuple(_choice(option) for option in (*own, *front, *general) if option.help),
        arguments=tuple(_arguments(command, words)),
        trailing=command.trailing,
    )
    for each in command.commands:
        if each.help:
            inner = program.root.resolve(each.alias) if each.alias and len(path) == 1 else [*path, each]
            yield from _places(program, inner, (*words, each.name))


def _help_places(program: Program, path: list[CommandSyntax], words: tuple[str, ...]) -> Iterator[Place]:
    """Yield the places behind ``help``, where the words are those of the command that help is asked for."""
    commands = [each for each in path[-1].commands if each.help]
    yield Place(
        path=words, commands=tuple((each.name, _line(each.help)) for each in commands), options=(), arguments=()
    )
    for each in commands:
        inner = program.root.resolve(each.alias) if each.alias and len(path) == 1 else [*path, each]
        if inner[-1].commands:
            yield from _help_places(program, inner, (*words, each.name))


def _arguments(command: CommandSyntax, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for argument in command.arguments:
        values = _values(argument)
        yield (FOREIGN_PLUGINS,) if values == (PLUGINS,) and words in _ABOUT_TRUST else values


def _choice(option: Parameter) -> Choice:
    values = _values(option) if option.value else ()
    return Choice(names=option.names, help=_line(option.help), values=values, valued=bool(option.value))


def _values(parameter: Parameter) -> tuple[str, ...]:
    if parameter.values or parameter.suggested:
        return parameter.values or parameter.suggested
    kind = _KINDS.get(parameter.value)
    return (kind,) if kind else ()


def _line(text: str) -> str:
    return escape_controls_in_line(text)
