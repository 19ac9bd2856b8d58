"""The ``--ws-…`` options of a server's command line, and the authenticator that they ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from codex_hookspecs.auth import ConnectionAuthOptions
from codex_hookspecs.errors import ConfigError, UsageError
from codex_hookspecs.terminal_text import escape_controls

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from codex_hookspecs.auth import ConnectionCheck
    from codex_hookspecs.host import Host

AUTH_MODES: Final = ("capability-token", "signed-bearer-token")
"""Modes of Codex; plugins can add others."""
AUTH_VALUED: Final = {
    "--ws-auth": "MODE",
    "--ws-token-file": "PATH",
    "--ws-token-sha256": "HEX",
    "--ws-shared-secret-file": "PATH",
    "--ws-issuer": "ISSUER",
    "--ws-audience": "AUDIENCE",
    "--ws-max-clock-skew-seconds": "SECONDS",
}
"""The options and what their values are called."""
_NOT_EMPTY: Final = ("PATH", "MODE")
_SKEW: Final = "--ws-max-clock-skew-seconds"


def read_options(
    arguments: Sequence[str], valued: Mapping[str, str], *, flags: Sequence[str] = (), usage: str
) -> dict[str, str]:
    """Read a command line of options; those without a value get an empty one.

    :param valued: options with a value and what it is called, without brackets.
    :param usage: usage line for errors.
    :raises UsageError: when an option is unknown, repeated, or has no value.
    """
    given: dict[str, str] = {}
    words = list(arguments)
    while words:
        name, equals, value = words.pop(0).partition("=")
        if name not in valued and (equals or name not in flags):
            raise UsageError(f"unexpected argument '{name}{equals}{value}' found", usage=usage)
        if name in valued:
            shown = f"{name} <{valued[name]}>"
            if not equals and words and (not words[0].startswith("-") or words[0] == "-"):
                equals, value = "=", words.pop(0)
            elif not equals and words and not words[0].startswith("--"):
                raise UsageError(f"unexpected argument '{words[0]}' found", usage=usage)
            if not equals or (not value and valued[name] in _NOT_EMPTY):
                known = f"\n  [possible values: {', '.join(AUTH_MODES)}]" if name == "--ws-auth" else ""
                raise UsageError(f"a value is required for '{shown}' but none was supplied{known}", usage=usage)
            if name in given:
                raise UsageError(f"the argument '{shown}' cannot be used multiple times", usage=usage)
        given[name] = value
    return given


def auth_options(given: Mapping[str, str], *, usage: str) -> ConnectionAuthOptions | None:
    """Return the options for the authentication of clients, ``None`` when there are none.

    :param given: options and their values.
    :raises UsageError: when a value is not of its form.
    :raises ConfigError: when an option has no effect.
    """
    if "--ws-auth" not in given:
        if any(name in AUTH_VALUED for name in given):
            either = " or ".join(f"`--ws-auth {mode}`" for mode in AUTH_MODES)
            raise ConfigError(f"websocket auth flags require {either}")
        return None
    return ConnectionAuthOptions(
        mode=given["--ws-auth"],
        token_file=given.get("--ws-token-file"),
        token_sha256=given.get("--ws-token-sha256"),
        shared_secret_file=given.get("--ws-shared-secret-file"),
        issuer=given.get("--ws-issuer"),
        audience=given.get("--ws-audience"),
        max_clock_skew_seconds=_read_skew(given[_SKEW], usage) if _SKEW in given else None,
    )


def authenticator(options: ConnectionAuthOptions | None, host: Host, *, usage: str) -> ConnectionCheck | None:
    """Return the check that options ask for, ``None`` without options.

    :raises UsageError: when the mode is unknown.
    :raises ConfigError: when no plugin offers an authenticator for the mode, or it can't be set up.
    """
    if options is None:
        return None
    offered = {each.mode: each for each in host.connection_authenticators()}
    mode = options.mode
    if mode in offered:
        return offered[mode].prepare(options)
    unavailable = host.unavailable("connection_authenticators")
    if mode not in AUTH_MODES:
        known = ", ".join(dict.fromkeys((*AUTH_MODES, *offered)))
        lines = [f"invalid value '{mode}' for '--ws-auth <MODE>'", f"  [possible values: {known}]"]
        lines += [f"  not asked: {escape_controls(reason)}" for reason in unavailable]
        raise UsageError("\n".join(lines), tip=_similar(mode, offered), usage=usage)
    found = "; ".join(unavailable) or "none of codex-host's own has it, and none is installed"
    raise ConfigError(
        f"cannot authenticate clients with --ws-auth {mode}: that takes a plugin with the hook "
        f"connection_authenticators, {found}; install one, or leave the option out and listen on 127.0.0.1"
    )


def _similar(mode: str, offered: Iterable[str]) -> str | None:
    """Return the tip for a mode that nobody has."""
    from difflib import get_close_matches

    close = get_close_matches(mode.lower(), [*AUTH_MODES, *offered], 1)
    return f"a similar value exists: '{close[0]}'" if close else None


def _read_skew(text: str, usage: str) -> int:
    shown = f"invalid value '{text}' for '{_SKEW} <SECONDS>'"
    digits = text.removeprefix("+")
    if not text:
        raise UsageError(f"{shown}: cannot parse integer from empty string", usage=usage)
    if not digits.isascii() or not digits.isdigit():
        raise UsageError(f"{shown}: invalid digit found in string", usage=usage)
    number = digits.lstrip("0") or "0"
    if len(number) > 20 or int(number) >= 2**64:
        raise UsageError(f"{shown}: number too large to fit in target type", usage=usage)
    return int(number)
