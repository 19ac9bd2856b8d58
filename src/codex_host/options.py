"""Parse the global options of a command line."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from attrs import define, field

from codex_hookspecs.errors import UsageError
from codex_hookspecs.values import frozen
from codex_host.config.keys import parse_override

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
_FLAGS = {"--no-plugins": "no_plugins", "--strict-plugins": "strict_plugins", "--strict-config": "strict_config"}
_REMOTE = {"--remote": "remote", "--remote-auth-token-env": "remote_token_variable"}
"""Options that say where the app-server is; before the sub-command only."""
_INTERACTIVE_VALUED = {
    "-m": "--model",
    "-s": "--sandbox",
    "-i": "--image",
    "-a": "--ask-for-approval",
    "--local-provider": "--local-provider",
    "--add-dir": "--add-dir",
}
_INTERACTIVE_FLAGS = (
    "--oss",
    "--full-auto",
    "--dangerously-bypass-approvals-and-sandbox",
    "--yolo",
    "--dangerously-bypass-hook-trust",
    "--search",
    "--no-alt-screen",
)
_ONCE = {
    "profile": "--profile <CONFIG_PROFILE>",
    "cd": "--cd <DIR>",
    "--ask-for-approval": "--ask-for-approval <APPROVAL_POLICY>",
    "--search": "--search",
    "remote": "--remote <ADDR>",
    "remote_token_variable": "--remote-auth-token-env <ENV_VAR>",
}
"""Options that may be given once before the command, and once after it, as they are named in an error."""
_INTERACTIVE = {**_INTERACTIVE_VALUED, **{name: name for name in (*_INTERACTIVE_VALUED.values(), *_INTERACTIVE_FLAGS)}}
"""Options of the interactive program by spelling; ``exec`` and ``review`` also accept them."""
APPROVALS = ("untrusted", "on-failure", "on-request", "never")


@define(eq=False, repr=False)
class GlobalOptions:
    """Parsed global options.

    :param command: the sub-command, or ``None``.
    :param rest: arguments after the sub-command without global options.
    :param overrides: dotted configuration keys, in order of the command line.
    :param interactive: options of the interactive program before the sub-command, each as one word (``--model=x``).
    :param cwd: absolute directory to work in.
    :param directory: what was given with ``-C``, if anything.
    :param remote: ``--remote``.
    :param remote_token_variable: ``--remote-auth-token-env``.
    """

    command: str | None = None
    rest: list[str] = field(factory=list)
    overrides: dict[str, Any] = field(factory=dict)
    interactive: list[str] = field(factory=list)
    profile: str | None = None
    cwd: str = ""
    directory: str | None = None
    remote: str | None = None
    remote_token_variable: str | None = None
    no_plugins: bool = False
    strict_plugins: bool = False
    strict_config: bool = False
    help: bool = False
    version: bool = False


@frozen
class Trailing:
    """Where another command line begins in the arguments of a sub-command (as in ``codex sandbox -- COMMAND``).

    :param place: index, from one, of the positional argument that begins it.
    :param valued: options of the sub-command that take a value.
    """

    place: int
    valued: Sequence[str] = ()

    def starts(self, word: str, before: Sequence[str]) -> bool:
        """Return whether a word begins the trailing command line.

        :param before: preceding words of the sub-command.
        """
        words = [*before, word]
        plain = [
            not each.startswith("-") and not (index and words[index - 1] in self.valued)
            for index, each in enumerate(words)
        ]
        return plain[-1] and sum(plain) >= self.place


def parse(
    arguments: Sequence[str], *, cwd: str, trailing: Callable[[str], Trailing | None] = lambda _command: None
) -> GlobalOptions:
    """Parse global options anywhere in a command line, up to ``--`` or a trailing command line.

    :param cwd: directory that ``-C`` is relative to.
    :param trailing: returns the trailing command line of a sub-command, ``None`` if it has none.
    :raises ConfigError: for a missing value, an unknown feature, or an invalid option before the sub-command.
    """
    options = GlobalOptions(cwd=cwd)
    words = list(arguments)
    seen: set[tuple[str, bool]] = set()
    end: Trailing | None = None
    while words:
        word = words.pop(0)
        if word == "--" or (end is not None and end.starts(word, options.rest)):
            options.rest += [word, *words]
            break
        name, value = _split(word)
        _check_once(options, name, seen)
        if name in _VALUED:
            _apply(options, _VALUED[name], _value(word, value, words))
        elif word in _FLAGS:
            setattr(options, _FLAGS[word], True)
        elif options.command is not None:
            options.rest.append(word)
        elif word in ("-h", "--help"):
            options.help = True
        elif word in ("-V", "--version"):
            options.version = True
        elif name in _REMOTE:
            setattr(options, _REMOTE[name], _value(word, value, words))
        elif name in _INTERACTIVE:
            _apply_interactive(options, _INTERACTIVE[name], word, value, words)
        elif word.startswith("-"):
            from codex_host.usage import unexpected_argument

            raise unexpected_argument(word, (*_VALUED, *_FLAGS, *_REMOTE, *_INTERACTIVE, "--help", "--version"))
        else:
            options.command = word
            end = trailing(word)
    if options.remote is not None:
        options.cwd = cwd  # -C is a directory of the server's machine
    return options


def _check_once(options: GlobalOptions, name: str, seen: set[tuple[str, bool]]) -> None:
    """Refuse an option that is given again, and one that contradicts another one before the command."""
    inside = options.command is not None
    kind = _VALUED.get(name) or ("" if inside else (_INTERACTIVE.get(name) or _REMOTE.get(name, "")))
    if kind in _ONCE:
        if (kind, inside) in seen:
            raise UsageError(f"the argument '{_ONCE[kind]}' cannot be used multiple times")
        seen.add((kind, inside))
    policy, bypass = "--ask-for-approval", "--dangerously-bypass-approvals-and-sandbox"
    if kind == "--yolo":
        kind = bypass
    if kind == policy and not {bypass, "--yolo"}.isdisjoint(options.interactive):
        raise UsageError(f"the argument '{bypass}' cannot be used with '{_ONCE[policy]}'")
    if kind == bypass and (policy, False) in seen:
        raise UsageError(f"the argument '{_ONCE[policy]}' cannot be used with '{bypass}'")


def _split(word: str) -> tuple[str, str | None]:
    if word.startswith("--"):
        name, equals, value = word.partition("=")
        return name, value if equals else None
    if len(word) > 2 and (word[:2] in _VALUED or word[:2] in _INTERACTIVE_VALUED):
        return word[:2], word[2:].removeprefix("=")
    return word, None


def _value(word: str, value: str | None, words: list[str]) -> str:
    """Return the value of an option: the part after ``=``, or the next word, which is consumed."""
    if value is not None:
        return value
    if not words:
        raise UsageError(f"a value is required for '{word}' but none was supplied")
    return words.pop(0)


def _apply_interactive(options: GlobalOptions, name: str, word: str, value: str | None, words: list[str]) -> None:
    if name in _INTERACTIVE_FLAGS:
        if value is not None:
            raise UsageError(f"unexpected value '{value}' for '{name}' found; no more were expected")
        if name == "--search":
            options.overrides["web_search"] = "live"
        options.interactive.append(name)
        return
    value = _value(word, value, words)
    if name == "--ask-for-approval":
        if value not in APPROVALS:
            raise UsageError(f"invalid value '{value}' for '{name}'\n  [possible values: {', '.join(APPROVALS)}]")
        options.overrides["approval_policy"] = value
    else:
        options.interactive.append(f"{name}={value}")


def _apply(options: GlobalOptions, kind: str, value: str) -> None:
    if kind == "config":
        key, parsed = parse_override(value)
        options.overrides.pop(key, None)
        options.overrides[key] = parsed
    elif kind in ("enable", "disable"):
        from codex_host.features import require_key

        options.overrides[f"features.{require_key(value)}"] = kind == "enable"
    elif kind == "profile":
        options.profile = value
    else:
        options.directory = value
        path = os.path.abspath(os.path.join(options.cwd, value))
        options.cwd = os.path.realpath(path) if os.path.isdir(path) else path  # one of another machine
