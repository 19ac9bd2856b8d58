"""Recognize that help for a command is asked for; the help of a command whose manifest declares no syntax."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from codex_hookspecs.ports.surface import CliCommand
    from codex_host.options import Trailing


def wants_help(words: Sequence[str], trailing: Trailing | None = None) -> bool:
    """Return whether ``-h`` or ``--help`` is among the words after a command.

    :param trailing: where another command line begins in these words.
    """
    for index, word in enumerate(words):
        if word == "--" or (trailing is not None and trailing.starts(word, words[:index])):
            return False
        if word in ("-h", "--help"):
            return True
    return False


def plain_help(command: CliCommand) -> str:
    """Return help and usage of a command."""
    return f"{command.help}\n\n{command.usage or f'Usage: codex {command.name} [ARGUMENTS]'}"
