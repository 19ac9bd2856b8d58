"""Check command lines against the declared syntax of commands."""

from __future__ import annotations

from collections.abc import Sequence

from codex_hookspecs.errors import UsageError
from codex_host.command_syntax import CommandSyntax, options_of, usage_line
from codex_host.known_commands import Program, own_program
from codex_host.usage import invalid_value, unexpected_argument, unknown_command


def read_group(name: str, words: Sequence[str], *, default: str | None = None) -> tuple[str, list[str], set[str]]:
    """Parse the command line of one of the host's command groups.

    :param name: the group, such as ``plugins``.
    :param words: the words after it.
    :param default: command to use if none is given.
    :return: command, arguments and flags.
    :raises UsageError: when the command line is invalid.
    """
    program = own_program()
    plain = [word for word in words if not word.startswith("-")]
    if not plain and default is not None:
        words = [default, *words]
        plain = [default]
    check_words(program, [name, *words])
    command = program.root.resolve([name, *plain])[-1]
    if command.commands:
        raise UsageError("a command is required", usage=usage_line([program.root, command]))
    flags = {word for word in words if word.startswith("-")}
    return plain[0], plain[1:], flags


def check_words(program: Program, words: Sequence[str]) -> None:
    """Check the words after ``codex`` as far as the syntax of the command is declared.

    Unknown options and sub-commands, missing and invalid values, and missing and surplus arguments are found, up to
    ``--`` or the place where another command line begins.

    :raises UsageError: for the first of them.
    """
    path = [program.root]
    found: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            found += rest
            break
        if word.startswith("-") and word != "-":
            _check_option(program, path, word, rest)
            continue
        command = path[-1].command(word) if not found else None
        if command is not None:
            path = program.root.resolve(command.alias) if command.alias else [*path, command]
        elif path[-1].commands and not path[-1].arguments:
            usage = usage_line(path)
            raise unknown_command(word, [each.name for each in path[-1].commands], usage=usage)
        else:
            found.append(word)
            if path[-1].trailing and len(found) >= path[-1].trailing:
                found += rest
                break
    _check_arguments(path, found)


def _check_option(program: Program, path: Sequence[CommandSyntax], word: str, rest: list[str]) -> None:
    """Check one option, and take its value from the following words."""
    options = [*options_of(path), *program.options]
    known = [name for each in options for name in each.names]
    name, equals, value = _split(word)
    option = next((each for each in options if name in each.names), None)
    usage = usage_line(path)
    if option is None:
        raise unexpected_argument(word, known, usage=usage)
    if not option.value:
        if equals:
            raise UsageError(f"unexpected value '{value}' for '{name}' found; no more were expected", usage=usage)
        return
    label = f"{option.names[-1]} <{option.value}>"
    if not equals:
        if not rest or (rest[0].startswith("-") and rest[0] != "-"):
            if rest and rest[0] != "--" and _split(rest[0])[0] not in known:
                raise unexpected_argument(rest[0], known, usage=usage)
            raise UsageError(f"a value is required for '{label}' but none was supplied", usage=usage)
        value = rest.pop(0)
    if option.values and value not in option.values:
        raise invalid_value(value, label, option.values, usage=usage)


def _split(word: str) -> tuple[str, str, str]:
    """Return the name of an option, what tells that its value is in the same word, and that value."""
    return word.partition("=") if word.startswith("--") else (word[:2], word[2:], word[2:])


def _check_arguments(path: Sequence[CommandSyntax], found: Sequence[str]) -> None:
    command = path[-1]
    if command.needs_command and not found:
        name = " ".join(each.name for each in path)
        known = ", ".join(each.name for each in command.commands if each.help)
        text = f"'{name}' requires a subcommand but one was not provided\n  [subcommands: {known}]"
        raise UsageError(text, usage=usage_line(path))
    if not command.arguments:
        if found and not command.commands and not command.trailing:
            raise unexpected_argument(found[0], (), usage=usage_line(path))
        return
    required = [each for each in command.arguments if not each.heading.startswith("[")]
    if len(found) < len(required):
        missing = "\n".join(f"  <{each.value}>" for each in required[len(found) :])
        text = f"the following required arguments were not provided:\n{missing}"
        raise UsageError(text, usage=usage_line(path))
    if len(found) > len(command.arguments) and not command.arguments[-1].heading.endswith("..."):
        raise unexpected_argument(found[len(command.arguments)], (), usage=usage_line(path))
    for argument, word in zip(command.arguments, found, strict=False):
        if argument.values and word not in argument.values:
            raise invalid_value(word, argument.heading, argument.values, usage=usage_line(path))
