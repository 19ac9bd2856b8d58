"""Describe usage errors, with suggestions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from codex_hookspecs.errors import UsageError

_ELSEWHERE = {
    "agents": "list sessions with codex resume",
    "cloud": "",
    "delete": "put a session away with codex archive SESSION",
    "doctor": "check plugins with codex plugins doctor, and the configuration with codex --strict-config features list",
    "login": "set OPENAI_API_KEY, or name a provider with a key of its own in config.toml",
    "logout": "take OPENAI_API_KEY out of the environment",
    "mcp": "",
    "mcp-server": "serve programs with codex app-server",
    "migrate-nfs-db": "",
    "migrate-rollouts": "sessions of other releases are read as they are",
    "plugin": "see codex plugins list",
    "queue": "go on with a session with codex exec resume SESSION PROMPT",
    "remote-control": "serve other machines with codex app-server",
    "update": "install the new version as this one was installed",
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


def not_a_command(word: str, known: Iterable[str]) -> UsageError:
    """Return the error for a first word that is not a command of any plugin."""
    if word in _ELSEWHERE:
        return UsageError(f"the command '{word}' is not part of this version", tip=_ELSEWHERE[word] or None)
    return unknown_command(word, known) if near(word, known) else no_interface(word)


def no_interface(prompt: str) -> UsageError:
    """Return the error for starting the interactive program, which is not available yet.

    :param prompt: the initial prompt, if any.
    """
    import shlex

    word = shlex.quote(prompt) if prompt else "PROMPT"
    message = f"unrecognized subcommand '{prompt}'" if prompt else "a subcommand is required"
    return UsageError(message, tip=f"there is no terminal interface yet; to give a prompt: codex exec {word}")
