"""The syntax of commands, as manifests declare it: arguments, options and sub-commands, for help and completion."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from codex_hookspecs.values import frozen

_SWITCHES = ("needs_command", "own_options")
KEYS = {"help", "group", "alias", "notes", "trailing", "arguments", "options", "commands", *_SWITCHES}
"""Keys of a command's table."""
_VALUES = ("values", "suggested")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_OPTION = re.compile(
    r"(?P<names>--?[A-Za-z0-9][A-Za-z0-9_-]*(?:, --?[A-Za-z0-9][A-Za-z0-9_-]*)*)"
    r"(?: (?P<value>[A-Z0-9][A-Z0-9_=-]*))?(?:\.\.\.)?"
)
_ARGUMENT = re.compile(r"\[?[A-Z][A-Z0-9_]*\]?(?:\.\.\.)?")
_VALUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]*")


class SyntaxProblem(ValueError):
    """Raised for a declaration that can't be used; the text names the key and what is allowed."""


@frozen(kw_only=True)
class Parameter:
    """An option or an argument of a command.

    :param heading: how it is shown: ``-m, --model MODEL``, ``[PROMPT]``.
    :param names: names of the option; empty for an argument.
    :param value: placeholder of the value, without brackets; empty for a flag. ``FILE``, ``DIR``, ``FEATURE``,
        ``PROFILE`` and ``PLUGIN`` are completed with what there is.
    :param values: the allowed values; empty for any.
    :param suggested: values that completion offers, where others are allowed as well.
    """

    heading: str
    help: str
    names: tuple[str, ...] = ()
    value: str = ""
    values: tuple[str, ...] = ()
    suggested: tuple[str, ...] = ()


@frozen(kw_only=True)
class CommandSyntax:
    """A command or sub-command.

    :param name: its last word.
    :param help: one line; empty for a command that is not listed.
    :param group: heading in ``codex --help``.
    :param alias: the words that it is short for; its own syntax is then empty.
    :param notes: text at the end of its help.
    :param trailing: the index, from one, of the positional argument that begins another command line; 0 for none.
    :param needs_command: whether it can't be called without a sub-command.
    :param options: they are also options of its sub-commands, unless they are its own.
    :param own_options: whether sub-commands don't have its options.
    """

    name: str
    help: str = ""
    group: str = ""
    alias: tuple[str, ...] = ()
    notes: str = ""
    trailing: int = 0
    arguments: tuple[Parameter, ...] = ()
    options: tuple[Parameter, ...] = ()
    commands: tuple[CommandSyntax, ...] = ()
    needs_command: bool = False
    own_options: bool = False

    @property
    def declared(self) -> bool:
        """Whether more is known than the name and the line of help."""
        return bool(self.alias or self.arguments or self.options or self.commands)

    @property
    def wordless(self) -> bool:
        """Whether it can be called without a word after it."""
        return not (self.alias or self.needs_command) and all(each.heading.startswith("[") for each in self.arguments)

    def command(self, name: str) -> CommandSyntax | None:
        """Return a sub-command by name."""
        return next((each for each in self.commands if each.name == name), None)

    def resolve(self, words: Sequence[str]) -> list[CommandSyntax]:
        """Return this command and the sub-commands that words name, outermost first, with aliases replaced.

        Words that name nothing end the search.
        """
        path = [self]
        for word in words:
            found = path[-1].command(word)
            if found is None:
                break
            path = self.resolve(found.alias) if found.alias and len(path) == 1 else [*path, found]
        return path


def options_of(path: Sequence[CommandSyntax]) -> list[Parameter]:
    """Return the options of the last command of a path, its own first; those of the program itself are left out."""
    return [
        option
        for command in reversed(path[1:])
        if command is path[-1] or not command.own_options
        for option in command.options
    ]


def usage_line(path: Sequence[CommandSyntax]) -> str:
    """Return the usage line of the last command of a path."""
    command = path[-1]
    words = [each.name for each in path]
    if options_of(path):
        words.append("[OPTIONS]")
    words += [argument.heading for argument in command.arguments]
    if command.commands:
        words.append("COMMAND" if command.needs_command else "[COMMAND]")
    return f"Usage: {' '.join(words)}"


def read_syntax(name: str, table: str | Mapping[str, Any]) -> CommandSyntax:
    """Return the syntax that one entry of a ``[commands]`` table declares.

    :raises SyntaxProblem: when it is invalid.
    """
    return _command(name, table, name)


def read_options(table: Any, where: str) -> tuple[Parameter, ...]:
    """Return the options of an ``options`` table.

    :raises SyntaxProblem: when it is invalid.
    """
    return tuple(_parameters(table, where, _OPTION, 'like "-m, --model MODEL"'))


def _command(name: str, table: Any, where: str) -> CommandSyntax:
    facts: Mapping[str, Any] = {"help": table} if isinstance(table, str) else table
    if not _NAME.fullmatch(name):
        raise SyntaxProblem(f"{where}: the name of a command is letters, digits, - and _")
    if not isinstance(facts, dict) or not set(facts) <= KEYS or not isinstance(facts.get("help"), str):
        raise SyntaxProblem(f"{where} is a line of help or a table with help, out of {', '.join(sorted(KEYS))}")
    for key in ("group", "alias", "notes"):
        if not isinstance(facts.get(key, ""), str):
            raise SyntaxProblem(f"{where}.{key} is text")
    trailing = facts.get("trailing", 0)
    if type(trailing) is not int or trailing < 0 or (trailing == 0 and "trailing" in facts):
        raise SyntaxProblem(f"{where}.trailing is a number from 1")
    for key in _SWITCHES:
        if type(facts.get(key, False)) is not bool:
            raise SyntaxProblem(f"{where}.{key} is true or false")
    commands = facts.get("commands", {})
    if not isinstance(commands, dict):
        raise SyntaxProblem(f"{where}.commands is a table of commands")
    return CommandSyntax(
        name=name,
        help=facts["help"],
        group=facts.get("group", ""),
        alias=tuple(facts.get("alias", "").split()),
        notes=facts.get("notes", ""),
        trailing=trailing,
        needs_command=facts.get("needs_command", False),
        own_options=facts.get("own_options", False),
        arguments=tuple(_parameters(facts.get("arguments", {}), f"{where}.arguments", _ARGUMENT, "like [PROMPT]")),
        options=read_options(facts.get("options", {}), f"{where}.options"),
        commands=tuple(_command(key, value, f"{where}.commands.{key}") for key, value in commands.items()),
    )


def _parameters(table: Any, where: str, form: re.Pattern[str], example: str) -> Iterator[Parameter]:
    if not isinstance(table, dict):
        raise SyntaxProblem(f"{where} is a table of lines of help")
    for heading, fact in table.items():
        found = form.fullmatch(heading)
        if found is None:
            raise SyntaxProblem(f"{where}: {heading!r} is not {example}")
        facts = {"help": fact} if isinstance(fact, str) else fact
        if (
            not isinstance(facts, dict)
            or not set(facts) <= {"help", *_VALUES}
            or not isinstance(facts.get("help"), str)
        ):
            raise SyntaxProblem(f'{where}: {heading!r} is a line of help or {{ help = "…", values = ["…"] }}')
        values, suggested = (facts.get(key, []) for key in _VALUES)
        for each in (values, suggested):
            if not isinstance(each, list) or not all(isinstance(word, str) and _VALUE.fullmatch(word) for word in each):
                raise SyntaxProblem(f"{where}: the values of {heading!r} are a list of words")
        groups = found.groupdict()
        names = tuple(groups["names"].split(", ")) if "names" in groups else ()
        value = (groups["value"] or "") if names else heading.removesuffix("...").strip("[]")
        if (values or suggested) and not value:
            raise SyntaxProblem(f"{where}: {heading!r} has values, but no placeholder for them")
        yield Parameter(
            heading=heading,
            help=facts["help"],
            names=names,
            value=value,
            values=tuple(values),
            suggested=tuple(suggested),
        )
