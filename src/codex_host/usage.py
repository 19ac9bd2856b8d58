"""Describe usage errors, with suggestions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from codex_hookspecs.errors import UsageError

_ELSEWHERE = {
    "agents": "list sessions with codex resume",
    "cloud": "",
    "config": "edit config.toml in $CODEX_HOME (~/.codex), or set a key for one command with -c KEY=VALUE",
    "delete": "put a session away with codex archive SESSION",
    "doctor": "check plugins with codex plugins doctor, and the configuration with codex --strict-config features list",
    "generate-json-schema": "write the schemas with codex app-server generate-json-schema --out DIR",
    "generate-ts": "write the types with codex app-server generate-ts --out DIR",
    "login": "set OPENAI_API_KEY, or name a provider with a key of its own in config.toml",
    "logout": "take OPENAI_API_KEY out of the environment",
    "mcp": "",
    "mcp-server": "serve programs with codex app-server",
    "migrate-nfs-db": "",
    "migrate-rollouts": "sessions of other releases are read as they are",
    "plugin": "see codex plugins list",
    "proto": "serve programs with codex app-server",
    "queue": "go on with a session with codex exec resume SESSION PROMPT",
    "remote-control": "serve other machines with codex app-server",
    "responses-api-proxy": "",
    "update": "install the new version as this one was installed",
    "version": "show the version with codex --version",
}
"""Commands of other releases that are not part of this version, with what to use instead, if anything."""


def invalid_value(value: str, label: str, allowed: Sequence[str], *, usage: str | None = None) -> UsageError:
    """Return the error for a value that is none of the allowed ones."""
    meant = near(value, allowed)
    tip = f"a similar value exists: '{meant}'" if meant else None
    text = f"invalid value '{value}' for '{label}'\n  [possible values: {', '.join(allowed)}]"
    return UsageError(text, tip=tip, usage=usage)


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


def not_a_command(word: str, known: Iterable[str], *, help_for: bool = False) -> UsageError:
    """Return the error for a first word that is not a command of any plugin.

    :param help_for: whether help for it is asked for, so that it is no prompt.
    """
    if word in _ELSEWHERE:
        return UsageError(f"the command '{word}' is not part of this version", tip=_ELSEWHERE[word] or None)
    if near(word, known):
        return unknown_command(word, known)
    if help_for:
        return UsageError(f"unrecognized subcommand '{word}'", tip="list the commands with codex --help")
    return no_interface(word)


def no_interface(prompt: str) -> UsageError:
    """Return the error for starting the interactive program, which is not available yet.

    :param prompt: the initial prompt, if any.
    """
    import shlex

    word = shlex.quote(prompt) if prompt else "PROMPT"
    message = f"unrecognized subcommand '{prompt}'" if prompt else "a subcommand is required"
    tip = f"the terminal interface is not part of this version; to give a prompt: codex exec {word}"
    return UsageError(message, tip=tip)
