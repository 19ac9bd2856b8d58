"""Read the command line of ``codex sandbox``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from codex_hookspecs.errors import ConfigError

_PLATFORMS = {
    "linux": "linux",
    "landlock": "linux",
    "macos": "macos",
    "seatbelt": "macos",
    "windows": "windows",
}
USAGE = "Usage: codex sandbox <linux|macos|windows> [OPTIONS] [--] COMMAND [ARGS]"


class UsageError(ConfigError):
    """Raised by :func:`parse` when a command line is wrong."""


class Options(NamedTuple):
    """A parsed command line."""

    platform: str
    command: tuple[str, ...]
    full_auto: bool = False
    profile: str | None = None
    proxy: bool = False


def parse(arguments: Sequence[str]) -> Options:
    """Parse a command line; the command begins with the first word that is not an option.

    :raises UsageError: when the command line is wrong.
    """
    words = list(arguments)
    if not words:
        raise UsageError(f"codex sandbox takes linux, macos or windows, and a command\n\n{USAGE}")
    platform = _PLATFORMS.get(words[0])
    if platform is None:
        raise UsageError(f"codex sandbox takes linux, macos or windows, found {words[0]!r}\n\n{USAGE}")
    full_auto = proxy = False
    profile: str | None = None
    rest = words[1:]
    while rest and rest[0].startswith("-"):
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if word == "--":
            break
        if word == "--full-auto":
            full_auto = True
        elif word == "--allow-network-for-proxy":
            proxy = True
        elif name in ("-P", "--permissions", "--permission-profile", "--permissions-profile"):
            if not equals and not rest:
                raise UsageError(f"a value is required for '{name} <PROFILE>' but none was supplied")
            profile = value if equals else rest.pop(0)
        else:
            raise UsageError(f"unexpected argument '{word}' found; put -- in front of the command\n\n{USAGE}")
    if full_auto and profile is not None:
        raise UsageError("the argument '--full-auto' cannot be used with '--permissions <PROFILE>'")
    if not rest:
        raise UsageError(f"codex sandbox {words[0]} got no command to run\n\n{USAGE}")
    return Options(platform, tuple(rest), full_auto, profile, proxy)
