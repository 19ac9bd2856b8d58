"""Commands with their syntax as it is declared: those of the host, and one of a plugin."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from codex_hookspecs.errors import ConfigError
from codex_hookspecs.file_reading import parse_toml, read_text
from codex_hookspecs.values import frozen
from codex_host.command_syntax import CommandSyntax, Parameter, SyntaxProblem, read_options, read_syntax
from codex_host.plugins.manifest import FILE_NAME, FoundPlugin


@frozen(kw_only=True)
class Program:
    """What can be typed after ``codex``.

    :param root: the program with all commands; its options are those allowed before a command only.
    :param options: options allowed everywhere.
    """

    root: CommandSyntax
    options: tuple[Parameter, ...]


@cache
def own_program() -> Program:
    """Return the program with the commands of the host alone."""
    file = os.path.join(os.path.dirname(__file__), "commands.toml")
    table = parse_toml(read_text(file) or "")
    commands = tuple(read_syntax(name, each) for name, each in table["commands"].items())
    root = CommandSyntax(name="codex", options=read_options(table["front"], "front"), commands=commands)
    return Program(root=root, options=read_options(table["global"], "global"))


def program_of(plugin: FoundPlugin, options: tuple[Parameter, ...] = ()) -> Program:
    """Return the program with the commands of a plugin alone.

    :param options: options allowed everywhere.
    """
    offered = plugin.manifest.commands if plugin.manifest else {}
    commands = tuple(declared_syntax(name, text, plugin) for name, text in offered.items())
    return Program(root=CommandSyntax(name="codex", commands=commands), options=options)


def declared_syntax(name: str, help_line: str, plugin: FoundPlugin | None) -> CommandSyntax:
    """Return the syntax of a plugin's command; without its declaration, only its name and line of help."""
    try:
        return read_syntax(name, _declarations(plugin.folder)[name] if plugin is not None else help_line)
    except (ConfigError, ValueError, KeyError, TypeError, SyntaxProblem):
        return CommandSyntax(name=name, help=help_line)


@cache
def _declarations(folder: str) -> dict[str, Any]:
    commands: dict[str, Any] = parse_toml(read_text(os.path.join(folder, FILE_NAME)) or "").get("commands", {})
    return commands
