"""Run ``codex sandbox linux`` without loading the host, when no option and no configuration affects the policy."""

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
from codex_sandbox_bwrap.binary import cached_binary, find_program
from codex_sandbox_bwrap.foreground import run_in_foreground
from codex_sandbox_bwrap.programs import find_command
from codex_sandbox_bwrap.watchdog import Watchdog
from codex_sandbox_bwrap.wrap import wrap_command
from codex_sandboxing.resolved import PolicyContext, ResolvedPolicy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_READ_ONLY_FILES = FileSystemPolicy("restricted", (FileSystemEntry(ROOT, "read"),))
_WORKSPACE_WRITE_FILES = FileSystemPolicy(
    "restricted",
    (
        FileSystemEntry(ROOT, "read"),
        FileSystemEntry(CWD, "write"),
        FileSystemEntry(SLASH_TMP, "write"),
        FileSystemEntry(TMPDIR, "write"),
    ),
)
_KNOWN_COMMAND_LINES: dict[tuple[str, ...], tuple[str, FileSystemPolicy]] = {
    ("linux", "--full-auto", "--"): ("workspace-write", _WORKSPACE_WRITE_FILES),
    ("linux", "--"): ("read-only", _READ_ONLY_FILES),
}
_RELEVANT_WORDS = (b"sandbox", b"permissions", b"profile", b"plugin", b"features")
"""A configuration file that contains none of these words can't affect the sandbox."""

_MAX_CONFIG_BYTES = 4 * 1024 * 1024


def run(arguments: Sequence[str], home: str) -> int | None:
    """Run a command and return its exit status, or ``None`` when the whole program is needed for it.

    :param arguments: what follows ``codex sandbox``.
    :param home: ``$CODEX_HOME``.
    :raises SandboxUnavailable: when the policy can't be enforced.
    """
    end = arguments.index("--") + 1 if "--" in arguments else 0
    known = _KNOWN_COMMAND_LINES.get(tuple(arguments[:end]))
    command = arguments[end:]
    cwd = os.getcwd()
    if known is None or not command or sys.platform != "linux" or _may_be_configured(home, cwd):
        return None
    search = os.environ.get("PATH", "")
    program = find_program(search, cwd)
    binary = cached_binary(program, home) if program is not None else None
    if binary is None or binary.features.problem or isinstance(find_command(command[0], search, cwd), int):
        return None
    mode, files = known
    policy = ResolvedPolicy(files, PolicyContext.of(cwd, os.environ))
    before = getsignal(SIGINT)
    if before == default_int_handler:
        # KeyboardInterrupt can get lost in callbacks; dying from the signal is safe, as nothing needs cleaning up.
        signal(SIGINT, SIG_DFL)
    try:
        watchdog = Watchdog(copy=True)
        wrapped = wrap_command(binary, watchdog, command, os.environ, policy, "restricted", mode=mode, home=home)
        return run_in_foreground(wrapped, cwd)
    finally:
        signal(SIGINT, before)


def _may_be_configured(home: str, cwd: str) -> bool:
    """Return whether a configuration file of the system, the user or the project may affect the policy."""
    if os.path.exists("/etc/codex/config.toml") or _may_be_relevant(f"{home}/config.toml"):
        return True
    folder = cwd
    while True:
        if os.path.exists(f"{folder}/.codex/config.toml") and folder != os.path.dirname(home):
            return True
        above = os.path.dirname(folder)
        if above == folder:
            return False
        folder = above


def _may_be_relevant(file: str) -> bool:
    if os.path.exists(file) and not (os.path.isfile(file) and os.path.getsize(file) <= _MAX_CONFIG_BYTES):
        return True  # Reading a pipe would block.
    try:
        with open(file, "rb") as stream:
            text = stream.read()
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return any(word in text for word in _RELEVANT_WORDS)
