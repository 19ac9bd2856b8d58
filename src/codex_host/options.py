"""Take the global options out of a command line."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from attrs import define, field

from codex_hookspecs.config_keys import parse_override
from codex_hookspecs.errors import ConfigError

_VALUED = {
    "-c": "config",
    "--config": "config",
    "--enable": "enable",
    "--disable": "disable",
    "-p": "profile",
    "--profile": "profile",
    "-C": "cd",
    "--cd": "cd",
}
_FLAGS = {"--no-plugins": "no_plugins", "--strict-plugins": "strict_plugins"}


@define
class GlobalOptions:
    """What the global options say.

    :param command: the sub-command, or ``None``.
    :param rest: arguments after the sub-command without global options.
    :param overrides: dotted configuration keys, in order of the command line.
    :param cwd: absolute directory to work in.
    """

    command: str | None = None
    rest: list[str] = field(factory=list)
    overrides: dict[str, Any] = field(factory=dict)
    profile: str | None = None
    cwd: str = ""
    no_plugins: bool = False
    strict_plugins: bool = False
    help: bool = False
    version: bool = False


def parse(arguments: Sequence[str], *, cwd: str) -> GlobalOptions:
    """Take global options from anywhere in a command line, up to ``--``.

    :param cwd: directory that ``-C`` is relative to.
    :raises ConfigError: for a missing value, an unknown feature or an unknown option before the sub-command.
    """
    options = GlobalOptions(cwd=cwd)
    words = list(arguments)
    while words:
        word = words.pop(0)
        if word == "--" or _starts_command(word, options):
            options.rest += [word, *words]
            break
        name, value = _split(word)
        if name in _VALUED:
            if value is None:
                if not words:
                    raise ConfigError(f"a value is required for '{word}' but none was supplied")
                value = words.pop(0)
            _apply(options, _VALUED[name], value)
        elif word in _FLAGS:
            setattr(options, _FLAGS[word], True)
        elif options.command is not None:
            options.rest.append(word)
        elif word in ("-h", "--help"):
            options.help = True
        elif word in ("-V", "--version"):
            options.version = True
        elif word.startswith("-"):
            raise ConfigError(f"unexpected argument '{word}' found")
        else:
            options.command = word
    return options


def _starts_command(word: str, options: GlobalOptions) -> bool:
    """Tell whether a word and all behind it are a command of the user's own: ``codex sandbox PLATFORM [-P X] CMD``."""
    rest = options.rest
    return options.command == "sandbox" and bool(rest) and word[:1] != "-" and rest[-1] not in ("-P", "--permissions")


def _split(word: str) -> tuple[str, str | None]:
    if word.startswith("--"):
        name, equals, value = word.partition("=")
        return name, value if equals else None
    if len(word) > 2 and word[:2] in _VALUED and word[0] == "-":
        return word[:2], word[2:].removeprefix("=")
    return word, None


def _apply(options: GlobalOptions, kind: str, value: str) -> None:
    if kind == "config":
        key, parsed = parse_override(value)
        options.overrides.pop(key, None)
        options.overrides[key] = parsed
    elif kind in ("enable", "disable"):
        from codex_hookspecs.features import known_key

        key_of_feature = known_key(value)
        if key_of_feature is None:
            raise ConfigError(f"Unknown feature flag: {value}")
        options.overrides[f"features.{key_of_feature}"] = kind == "enable"
    elif kind == "profile":
        options.profile = value
    else:
        path = os.path.abspath(os.path.join(options.cwd, value))
        options.cwd = os.path.realpath(path) if os.path.isdir(path) else path  # one of another machine
