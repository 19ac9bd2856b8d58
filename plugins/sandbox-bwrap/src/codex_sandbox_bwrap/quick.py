"""Run ``codex sandbox linux`` without the rest of the program, where the command line says all there is to say."""

from __future__ import annotations

import os
import sys
from _signal import (  # type: ignore[import-not-found]
    SIG_DFL,
    SIGINT,
    default_int_handler,
    getsignal,
    signal,
)

from codex_hookspecs.sandbox import CWD, ROOT, SLASH_TMP, TMPDIR, FileSystemEntry, FileSystemPolicy
from codex_sandbox_bwrap.binary import find_program, kept_binary
from codex_sandbox_bwrap.boxing import box_command
from codex_sandbox_bwrap.foreground import run_in_foreground
from codex_sandbox_bwrap.programs import find_command
from codex_sandbox_bwrap.watchdog import Watchdog
from codex_sandboxing.resolved import PolicyContext, ResolvedPolicy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_READ = FileSystemPolicy("restricted", (FileSystemEntry(ROOT, "read"),))
_WRITE = FileSystemPolicy(
    "restricted",
    (
        FileSystemEntry(ROOT, "read"),
        FileSystemEntry(CWD, "write"),
        FileSystemEntry(SLASH_TMP, "write"),
        FileSystemEntry(TMPDIR, "write"),
    ),
)
_PLAIN: dict[tuple[str, ...], tuple[str, FileSystemPolicy]] = {
    ("linux", "--full-auto", "--"): ("workspace-write", _WRITE),
    ("linux", "--"): ("read-only", _READ),
}
_SAYS_MORE = (b"sandbox", b"permissions", b"profile", b"plugins", b"features")
_MOST_BYTES = 4 * 1024 * 1024
"""What a configuration file must not speak of anywhere, to be of no concern here."""


def run(arguments: Sequence[str], home: str) -> int | None:
    """Run a command and return its exit status, or ``None`` when that takes the whole program.

    :param arguments: what follows ``codex sandbox``.
    :param home: ``$CODEX_HOME``.
    :raises SandboxUnavailable: when the policy can't be held.
    """
    end = arguments.index("--") + 1 if "--" in arguments else 0
    plain = _PLAIN.get(tuple(arguments[:end]))
    command = arguments[end:]
    cwd = os.getcwd()
    if plain is None or not command or sys.platform != "linux" or _is_configured(home, cwd):
        return None
    search = os.environ.get("PATH", "")
    program = find_program(search, cwd)
    binary = kept_binary(program, home) if program is not None else None
    if binary is None or binary.abilities.problem or isinstance(find_command(command[0], search, cwd), int):
        return None
    mode, files = plain
    policy = ResolvedPolicy(files, PolicyContext.of(cwd, os.environ))
    before = getsignal(SIGINT)
    if before == default_int_handler:
        # An exception can get lost on its way, and there is nothing here that it would have to tidy up.
        signal(SIGINT, SIG_DFL)
    try:
        watchdog = Watchdog(copy=True)
        boxed = box_command(binary, watchdog, command, os.environ, policy, "restricted", mode=mode, home=home)
        return run_in_foreground(boxed, cwd)
    finally:
        signal(SIGINT, before)


def _is_configured(home: str, cwd: str) -> bool:
    """Tell whether any file of the configuration may have a say: the system's, the user's, one of the project."""
    if os.path.exists("/etc/codex/config.toml") or _says_more(f"{home}/config.toml"):
        return True
    folder = cwd
    while True:
        if os.path.exists(f"{folder}/.codex/config.toml") and folder != os.path.dirname(home):
            return True
        above = os.path.dirname(folder)
        if above == folder:
            return False
        folder = above


def _says_more(file: str) -> bool:
    if os.path.exists(file) and not (os.path.isfile(file) and os.path.getsize(file) <= _MOST_BYTES):
        return True  # A pipe would be waited for.
    try:
        with open(file, "rb") as opened:
            text = opened.read()
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return any(word in text for word in _SAYS_MORE)
