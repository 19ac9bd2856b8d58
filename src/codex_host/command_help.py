"""Answer ``--help`` for the commands of plugins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from codex_hookspecs.ports.surface import CliCommand
    from codex_host.options import Trailing


def command_help(command: CliCommand, words: Sequence[str], trailing: Trailing | None = None) -> str | None:
    """Return the help that a plugin's command is asked for, or ``None`` when it is to be run.

    :param words: the words after the command.
    :param trailing: where another command line begins in these words.
    """
    if command.own_help:
        return None
    for index, word in enumerate(words):
        if word == "--" or (trailing is not None and trailing.starts(word, words[:index])):
            return None
        if word in ("-h", "--help"):
            return f"{command.help}\n\n{command.usage or f'Usage: codex {command.name} [ARGUMENTS]'}"
    return None
