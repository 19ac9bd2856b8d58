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
HELP = f"""\
Run a command under a sandbox policy.

{USAGE}

Options:
      --full-auto            let it write the working directory and temporary directories
  -P, --permissions PROFILE  policy of a name: :read-only, :workspace, :danger-full-access, or one of the configuration
      --allow-network-for-proxy
                             let it reach the proxies that the environment names, and nothing else
  -c, --config KEY=VALUE     set a configuration key, e.g. sandbox_mode=workspace-write; repeatable
  -C, --cd DIR               run it in a directory
  -h, --help                 show this help

Without an option the policy is the one of the configuration (sandbox_mode), by default read-only.
"""


class UsageError(ConfigError):
    """Raised when a command line can't be read."""


class Options(NamedTuple):
    """What the command line says."""

    platform: str
    command: tuple[str, ...]
    full_auto: bool = False
    profile: str | None = None
    proxy: bool = False
    help: bool = False


def parse(arguments: Sequence[str]) -> Options:
    """Read a command line; everything behind the first word that is no option is the command.

    :raises UsageError: when it is wrong.
    """
    words = list(arguments)
    if not words or words[0] in ("-h", "--help"):
        return Options("", (), help=True)
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
        if word in ("-h", "--help"):
            return Options(platform, (), help=True)
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
