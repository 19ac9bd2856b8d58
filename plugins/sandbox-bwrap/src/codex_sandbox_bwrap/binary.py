"""Find bwrap, and learn once what it offers and whether it works here."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import NamedTuple

from codex_hookspecs.sandboxing.resolution import is_below

_LIMIT = 10.0
_CACHE = "cache/sandbox-bwrap.list"
_MOST_KEPT = 16
_CANNOT_MOUNT = ("Invalid argument", "Operation not permitted", "Permission denied")
_NEEDED = (
    "--cap-drop",
    "--die-with-parent",
    "--info-fd",
    "--perms",
    "--ro-bind-data",
    "--seccomp",
    "--sync-fd",
)


class Abilities(NamedTuple):
    """What one bwrap can do on this machine.

    :param argv0: it takes ``--argv0`` (bubblewrap 0.9 and newer).
    :param proc: it can mount a new ``/proc``.
    :param problem: why it can't be used at all, or the empty string.
    """

    argv0: bool
    proc: bool
    problem: str = ""


class Binary(NamedTuple):
    """A bwrap that was found."""

    path: str
    abilities: Abilities


def find_program(search: str, cwd: str) -> str | None:
    """Return the first bwrap on a search path that is not in the directory of the work.

    :param search: value of ``PATH``.
    :param cwd: a program in there could be the model's own.
    """
    here = os.path.realpath(cwd)
    for folder in search.split(os.pathsep):
        if not os.path.isabs(folder):
            continue
        path = f"{folder}/bwrap"
        if os.access(path, os.X_OK) and os.path.isfile(path) and (here == "/" or not _inside(path, here)):
            return path
    return None


def known_binary(path: str, home: str) -> Binary:
    """Return a bwrap with what it can do; tried out only when the file or what runs it changed.

    :param home: ``$CODEX_HOME``, where the answers are kept.
    """
    kept = kept_binary(path, home)
    if kept is not None:
        return kept
    abilities = _tried(path)
    if not abilities.problem:
        _write(home, [*_read(home)[-_MOST_KEPT:], f"{abilities.argv0:d} {abilities.proc:d} {_identity(path)}"])
    return Binary(path, abilities)


def kept_binary(path: str, home: str) -> Binary | None:
    """Return a bwrap that was tried out before and has not changed since, else ``None``."""
    identity = _identity(path)
    for line in _read(home):
        if line[4:] == identity:
            return Binary(path, Abilities(argv0=line[0] == "1", proc=line[2] == "1"))
    return None


def _inside(path: str, folder: str) -> bool:
    return is_below(os.path.realpath(path), folder)


def _identity(path: str) -> str:
    found = os.stat(path)
    parts = [path, found.st_dev, found.st_ino, found.st_mtime_ns, os.geteuid(), _boot()]
    return ":".join(str(part) for part in (*parts, *_namespaces()))


def _boot() -> str:
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def _namespaces() -> list[str]:
    found = []
    for kind in ("user", "mnt"):
        with suppress(OSError):
            found.append(os.readlink(f"/proc/self/ns/{kind}"))
    return found


def _tried(path: str) -> Abilities:
    try:
        code, text = _run([path, "--help"])
    except OSError as error:
        return Abilities(argv0=False, proc=False, problem=f"{path} can't be run: {error.strerror}")
    lacking = [option for option in _NEEDED if option not in text]
    if lacking:
        return Abilities(argv0=False, proc=False, problem=f"{path} is too old, it does not know {lacking[0]}")
    argv0 = "--argv0" in text
    command = [path, "--ro-bind", "/", "/", "--dev", "/dev", "--unshare-user", "--unshare-pid", "--unshare-net"]
    true = next((each for each in ("/usr/bin/true", "/bin/true") if os.path.exists(each)), "true")
    code, text = _run([*command, "--proc", "/proc", "--", true])
    if code == 0:
        return Abilities(argv0=argv0, proc=True)
    if _is_about_proc(text):
        code, text = _run([*command, "--", true])
        if code == 0:
            return Abilities(argv0=argv0, proc=False)
    return Abilities(argv0=argv0, proc=False, problem=_last_line(text) or f"{path} ended with {code}")


def _run(arguments: list[str]) -> tuple[int, str]:
    import subprocess

    try:
        done = subprocess.run(
            arguments, stdin=subprocess.DEVNULL, capture_output=True, timeout=_LIMIT, check=False, cwd="/"
        )
    except subprocess.TimeoutExpired:
        return 1, f"no answer within {_LIMIT:g} s"
    return done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace")


def _is_about_proc(text: str) -> bool:
    return "Can't mount proc" in text and "/newroot/proc" in text and any(each in text for each in _CANNOT_MOUNT)


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else ""


def _read(home: str) -> list[str]:
    """Return what is kept: a line for each answer, ``ARGV0 PROC IDENTITY``; a damaged file holds none that fits."""
    try:
        with open(f"{home}/{_CACHE}", encoding="utf-8", errors="replace") as file:
            return file.read().split("\0")
    except OSError:
        return []


def _write(home: str, lines: list[str]) -> None:
    target = f"{home}/{_CACHE}"
    temporary = f"{target}.{os.getpid()}.tmp"
    with suppress(OSError):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(temporary, "w", encoding="utf-8", errors="replace") as file:
            file.write("\0".join(lines))
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
