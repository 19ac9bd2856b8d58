"""Parse command groups, and describe usage errors with suggestions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from codex_hookspecs.errors import UsageError
from codex_hookspecs.values import frozen

PLANNED = {
    "apply": "apply a patch with git apply",
    "cloud": "",
    "completion": "",
    "debug": "see what runs with codex plugins list, and what is configured with codex features list",
    "fork": "go on with a session with codex exec resume SESSION PROMPT",
    "login": "set OPENAI_API_KEY, or name a provider with a key of its own in config.toml",
    "logout": "take OPENAI_API_KEY out of the environment",
    "mcp": "",
    "mcp-server": "",
    "plugin": "see codex plugins list",
    "resume": "go on with a session with codex exec resume --last PROMPT",
}
"""Commands of other releases that are not available yet, with the alternative."""


@frozen
class Command:
    """One command of a group, such as ``codex plugins show``.

    :param arguments: names of its arguments; those in brackets are optional.
    :param flags: the flags it takes.
    """

    name: str
    help: str
    arguments: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """The usage line of the command."""
        return " ".join((self.name, *self.arguments, *(f"[{flag}]" for flag in self.flags)))


def read_group(
    group: str, commands: Sequence[Command], words: Sequence[str], *, default: str | None = None
) -> tuple[Command, list[str], set[str]] | None:
    """Parse the command line of a group of commands.

    :param group: the preceding words, such as ``codex plugins``.
    :param words: the remaining words.
    :param default: command to use if none is given.
    :return: command, arguments and flags; ``None`` if help was requested and printed.
    :raises UsageError: when the command line is invalid.
    """
    wants_help = any(word in ("-h", "--help", "help") for word in words[:1]) or "--help" in words or "-h" in words
    names = [word for word in words if word not in ("-h", "--help") and word != "help"] if wants_help else list(words)
    plain = [word for word in names if not word.startswith("-")] or ([default] if default and not wants_help else [])
    usage = f"Usage: {group} COMMAND"
    if not plain:
        if not wants_help:
            raise UsageError("a command is required", usage=_group_help(group, commands))
        print(_group_help(group, commands))
        return None
    command = next((each for each in commands if each.name == plain[0]), None)
    if command is None:
        raise unknown_command(plain[0], [each.name for each in commands], usage=usage)
    usage = f"Usage: {group} {command.line}"
    if wants_help:
        print(f"{command.help[:1].upper()}{command.help[1:]}\n\n{usage}")
        return None
    flags = {word for word in names if word.startswith("-")}
    for flag in sorted(flags.difference(command.flags)):
        raise unexpected_argument(flag, (*command.flags, "--help"), usage=usage)
    arguments = plain[1:]
    required = [name for name in command.arguments if not name.startswith("[")]
    if len(arguments) < len(required):
        raise UsageError(f"{required[len(arguments)]} is missing", usage=usage)
    if len(arguments) > len(command.arguments):
        raise unexpected_argument(arguments[len(command.arguments)], (), usage=usage)
    return command, arguments, flags


def _group_help(group: str, commands: Sequence[Command]) -> str:
    width = max(len(each.line) for each in commands) + 2
    rows = "\n".join(f"  {each.line:<{width}}{each.help}" for each in commands)
    return f"Usage: {group} COMMAND\n\nCommands:\n{rows}"


def near(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that a word is probably a typo of."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(word, list(known), 1, 0.7)), None)


def unexpected_argument(word: str, known: Iterable[str], *, usage: str | None = None) -> UsageError:
    """Return the error for an unknown argument of a command."""
    name = word.partition("=")[0] if word.startswith("--") else word
    meant = near(name, known) if name.startswith("--") else None
    tip = f"a similar argument exists: '{meant}'" if meant else None
    return UsageError(f"unexpected argument '{name}' found", tip=tip, usage=usage)


def unknown_command(word: str, known: Iterable[str], *, usage: str | None = None) -> UsageError:
    """Return the error for an unknown command."""
    meant = near(word, known)
    tip = f"a similar subcommand exists: '{meant}'" if meant else None
    return UsageError(f"unrecognized subcommand '{word}'", tip=tip, usage=usage)


def not_a_command(word: str, known: Iterable[str]) -> UsageError:
    """Return the error for a first word that is not a command of any plugin."""
    if word in PLANNED:
        instead = f"until then, {PLANNED[word]}" if PLANNED[word] else None
        return UsageError(f"the subcommand '{word}' of other releases is not here yet", tip=instead)
    return unknown_command(word, known) if near(word, known) else no_interface(word)


def no_interface(prompt: str) -> UsageError:
    """Return the error for starting the interactive program, which is not available yet.

    :param prompt: the initial prompt, if any.
    """
    import shlex

    word = shlex.quote(prompt) if prompt else "PROMPT"
    message = f"unrecognized subcommand '{prompt}'" if prompt else "a subcommand is required"
    return UsageError(message, tip=f"there is no terminal interface yet; to give a prompt: codex exec {word}")
