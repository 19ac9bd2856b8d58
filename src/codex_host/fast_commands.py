"""Run a first-party plugin's command without loading the rest of the program, if the command supports it."""

from __future__ import annotations

import os
import sys

from codex_hookspecs.errors import ConfigError
from codex_hookspecs.file_reading import read_text

TYPE_CHECKING = False  # avoids the import of typing
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from codex_hookspecs.ports.surface import CliCommand
    from codex_host.plugins.registry import Registry

_LONGEST = 4096


def run_fast_command(words: Sequence[str], environ: Mapping[str, str]) -> None:
    """Run a remembered fast command and exit with its status; return if the whole program is needed."""
    home = environ.get("CODEX_HOME") or f"{environ.get('HOME', '')}/.codex"
    if not words or not words[0].isalpha():
        return
    try:
        prefix, module = (read_text(_file(home, words[0]), limit=_LONGEST) or "").splitlines()
        if prefix != sys.prefix:
            return
        run = __import__(module, fromlist=["run"]).run
    except (ConfigError, OSError, ValueError, ImportError, AttributeError):
        return
    status = run(words[1:], os.path.realpath(home))
    if status is not None:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)  # There is nothing to clean up, and finalizing the interpreter takes time.


def remember_fast_command(command: CliCommand, home: str) -> None:
    """Remember a command's fast entry point for its next call."""
    from contextlib import suppress

    from codex_hookspecs.state_file import replace_file

    if command.shortcut is None:
        return
    file = _file(home, command.name)
    text = f"{sys.prefix}\n{command.shortcut}\n"
    with suppress(ConfigError, OSError):
        if read_text(file, limit=_LONGEST) != text:
            replace_file(file, text)


def forget_fast_commands(home: str) -> None:
    """Forget all fast commands; they are remembered anew when they are called."""
    from contextlib import suppress
    from glob import escape, glob

    for file in glob(_file(escape(home), "*")):
        with suppress(OSError):
            os.unlink(file)


def depends_on_third_party(command: str, registry: Registry) -> bool:
    """Return whether a third-party plugin offers a command, or implements a choice that the command depends on."""
    return any(
        command in status.commands or any(registry.policies[hook].kind == "choose" for hook in status.hooks)
        for status in registry.statuses.values()
        if status.state == "loaded" and not status.first_party
    )


def _file(home: str, name: str) -> str:
    return f"{home}/plugins/shortcut-{name}"
