"""The texts of ``codex --help`` and ``codex COMMAND --help``, all in one form."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from codex_hookspecs.terminal_text import escape_controls, escape_controls_in_line
from codex_host.command_syntax import CommandSyntax, Parameter, options_of, usage_line

if TYPE_CHECKING:
    from codex_host.known_commands import Program

_GROUPS = ("Agent", "Sessions", "Servers", "Configuration")
"""Groups of commands in their order; others follow, commands without a group come last."""
_WIDEST_COLUMN = 30
_WIDEST = 110


def program_help(program: Program, *, options: bool = True) -> str:
    """Return the text of ``codex --help``.

    :param options: whether they are described too.
    """
    listed = [command for command in program.root.commands if command.help]
    width = max(len(command.name) for command in listed) + 2
    parts = ["Run coding agents; every part is a plugin.", "Usage: codex [OPTIONS] COMMAND [ARGS]"]
    for group, commands in groupby(sorted(listed, key=_place), key=lambda command: command.group):
        rows = [(command.name, command.help) for command in commands]
        parts.append(_section(f"{group}:" if group else "Other commands:", rows, width))
    if not options:
        return "\n\n".join([*parts, "codex --help also describes the options, codex help COMMAND a command."])
    parts.append(_section("Options, before or after the command:", _options(program.options)))
    parts.append(
        _section("Options before the command, most of them for exec and review:", _options(program.root.options))
    )
    return "\n\n".join(parts)


def command_help(path: Sequence[CommandSyntax], program: Program) -> str:
    """Return the help of the last command of a path."""
    command = path[-1]
    options = options_of(path)
    taken = {name for option in options for name in option.names}
    general = [option for option in program.options if taken.isdisjoint(option.names)]
    parts = [escape_controls_in_line(command.help or command.name), usage_line(path)]
    if command.commands:
        rows = [(_line(each), each.help) for each in command.commands if each.help]
        parts.append(_section("Commands:", rows))
    if command.arguments:
        parts.append(_section("Arguments:", [(each.heading, _described(each)) for each in command.arguments]))
    if options:
        parts.append(_section("Options:", _options(options)))
    parts.append(_section("Options of every command:", _options(general)))
    if command.notes:
        lines = escape_controls(command.notes.strip()).splitlines()
        parts.append("\n".join(textwrap.fill(line, _width()) for line in lines))
    return "\n\n".join(parts)


def _place(command: CommandSyntax) -> tuple[int, str, str]:
    known = _GROUPS.index(command.group) if command.group in _GROUPS else len(_GROUPS) + (not command.group)
    return known, command.group, command.name


def _line(command: CommandSyntax) -> str:
    return " ".join((command.name, *(argument.heading for argument in command.arguments)))


def _options(options: Iterable[Parameter]) -> list[tuple[str, str]]:
    return [(_heading(option), _described(option)) for option in options if option.help]


def _heading(option: Parameter) -> str:
    return option.heading if not option.heading.startswith("--") else f"    {option.heading}"


def _described(parameter: Parameter) -> str:
    allowed = f" [possible values: {', '.join(parameter.values)}]" if parameter.values else ""
    return f"{parameter.help}{allowed}"


def _width() -> int:
    return max(60, min(shutil.get_terminal_size((_WIDEST, 24)).columns, _WIDEST))


def _section(title: str, rows: Sequence[tuple[str, str]], width: int = 0) -> str:
    column = width or min(max((len(name) for name, _ in rows), default=0) + 2, _WIDEST_COLUMN)
    total = _width()
    lines = [escape_controls_in_line(title)]
    for name, text in rows:
        wrapped = textwrap.wrap(escape_controls_in_line(text), total - column - 2) or [""]
        shown = escape_controls_in_line(name)
        if len(shown) + 2 > column:
            lines.append(f"  {shown}")
            shown = ""
        lines += [f"  {shown if index == 0 else '':<{column}}{line}".rstrip() for index, line in enumerate(wrapped)]
    return "\n".join(lines)
