"""``codex completion``: scripts that complete command lines in a shell, made from declarations alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from codex_host.options import GlobalOptions

_NOT_MADE = ("elvish", "powershell")
"""Shells that other releases make scripts for."""


def run_completion(options: GlobalOptions) -> int:
    """Print the script and return the exit status.

    :raises UsageError: when there is no script for the shell.
    """
    from codex_hookspecs.errors import UsageError
    from codex_host.all_commands import whole_program
    from codex_host.command_line import check_words
    from codex_host.completion import bash, fish, zsh
    from codex_host.completion.table import read_table
    from codex_host.known_commands import own_program

    if options.rest[:1] and options.rest[0] in _NOT_MADE:
        raise UsageError(f"there is no completion script for {options.rest[0]}: only for bash, fish and zsh")
    check_words(own_program(), ["completion", *options.rest])
    script = {"bash": bash.script, "fish": fish.script, "zsh": zsh.script}[(options.rest or ["bash"])[0]]
    print(script(read_table(whole_program(options))), end="")
    return 0
