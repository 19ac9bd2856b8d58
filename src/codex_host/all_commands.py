"""All commands with their syntax, from declarations alone: no plugin is imported."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from codex_host.app import codex_home
from codex_host.command_syntax import CommandSyntax
from codex_host.known_commands import Program, declared_syntax, own_program
from codex_host.plugins.discovery import found_plugins
from codex_host.plugins.manifest import FoundPlugin

if TYPE_CHECKING:
    from codex_host.options import GlobalOptions


def whole_program(options: GlobalOptions) -> Program:
    """Return the program with the commands of all plugins that can be used.

    A command of an untrusted or disabled plugin is left out. One that several plugins offer is that of the plugin whose
    command is run.
    """
    own = own_program()
    names = {command.name for command in own.root.commands}
    found = [declared_syntax(name, *each) for name, each in _offered(options).items() if name not in names]
    commands = tuple(sorted((*own.root.commands, *found), key=lambda command: command.name))
    root = CommandSyntax(name="codex", options=own.root.options, commands=commands)
    return Program(root=root, options=own.options)


def _offered(options: GlobalOptions) -> dict[str, tuple[str, FoundPlugin | None]]:
    """Return help and plugin of each command of a plugin."""
    found = [plugin for plugin in found_plugins(codex_home(os.environ)) if plugin.manifest is not None]
    if not any(plugin.manifest and plugin.manifest.commands for plugin in found if not plugin.first_party):
        return {
            name: (text, plugin)
            for plugin in found
            if plugin.manifest is not None
            for name, text in plugin.manifest.commands.items()
        }
    from codex_host.plugins.command import usable_commands

    return usable_commands(options)
