"""``codex help``, ``codex --help`` and ``codex COMMAND --help``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from codex_host.all_commands import whole_program
from codex_host.help_text import command_help, program_help

if TYPE_CHECKING:
    from codex_host.options import GlobalOptions


def show_help(options: GlobalOptions, words: Sequence[str]) -> bool:
    """Print the help of the program, or of the command that words name.

    :return: ``False`` for a command whose manifest declares no syntax; ``options`` ask its plugin for help then.

    :raises UsageError: when there is no such command.
    """
    program = whole_program(options)
    names = [word for word in words if not word.startswith("-")]
    if not names:
        print(program_help(program, options=options.help or options.command is not None))
        return True
    path = [program.root]
    for name in names:
        found = path[-1].command(name)
        if found is None:
            from codex_host.command_syntax import usage_line
            from codex_host.usage import not_a_command, unknown_command

            known = [each.name for each in path[-1].commands]
            if len(path) == 1:
                raise not_a_command(name, known, help_for=True)
            raise unknown_command(name, known, usage=usage_line(path))
        path = program.root.resolve(found.alias) if found.alias and len(path) == 1 else [*path, found]
    if len(path) == 2 and not path[1].declared:
        options.command, options.rest = path[1].name, ["--help"]
        return False
    print(command_help(path, program))
    return True


def show_command_help(options: GlobalOptions) -> bool:
    """Print the help of the command with which help is asked for; return ``False`` if it is not known."""
    program = whole_program(options)
    names = [word for word in options.rest if not word.startswith("-") and word != "help"]
    path = program.root.resolve([options.command or "", *names])
    called_help = {"-h", "--help"}.isdisjoint(options.rest)
    if len(path) == 1 or not path[1].declared or (called_help and not path[1].commands):
        return False
    print(command_help(path, program))
    return True
