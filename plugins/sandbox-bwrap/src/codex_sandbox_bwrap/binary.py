"""Find bwrap, and learn once what it offers and whether it works here."""

from __future__ import annotations

import os
import time

from codex_hookspecs.environments import project_root
from codex_hookspecs.errors import ConfigError
from codex_hookspecs.files import read_text
from codex_hookspecs.light import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from codex_hookspecs.host import Host

_LIMIT = 5.0
_MOST_OUTPUT = 65536
_CACHE = "cache/sandbox-bwrap.list"
_MOST_KEPT = 16
_PROBLEM_SECONDS = 60
"""How long a bwrap is known not to work: what it lacks may be given to it without any sign."""

_RIGHTS = ("CapEff:", "CapBnd:", "NoNewPrivs:", "Seccomp:", "Seccomp_filters:")
_SETTINGS = (
    "/proc/sys/user/max_user_namespaces",
    "/proc/sys/kernel/unprivileged_userns_clone",
    "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
)

_CANNOT_MOUNT = ("Invalid argument", "Operation not permitted", "Permission denied")
_NO_NAMESPACES = (
    "loopback: Failed RTM_NEWADDR",
    "loopback: Failed RTM_NEWLINK",
    "setting up uid map: Permission denied",
    "No permissions to create a new namespace",
)
_NEEDED = (
    "--cap-drop",
    "--die-with-parent",
    "--info-fd",
    "--perms",
    "--ro-bind-data",
    "--seccomp",
    "--sync-fd",
)
_SPAN = "\1"
_MOST_REASON = 200


class Abilities(NamedTuple):
    """What one bwrap can do on this machine.

    :param argv0: it takes ``--argv0`` (bubblewrap 0.9 and newer).
    :param proc: it can mount a new ``/proc``.
    :param problem: why it can't be used at all, or the empty string.
    """

    argv0: bool
    proc: bool
    problem: str = ""

    @property
    def lacks_namespaces(self) -> bool:
        """Whether it can't be used because user namespaces are not allowed."""
        return any(sign in self.problem for sign in _NO_NAMESPACES)


class Binary(NamedTuple):
    """A bwrap that was found."""

    path: str
    abilities: Abilities


def find_program(search: str, cwd: str, writable: Iterable[str] = ()) -> str | None:
    """Return the first bwrap on a search path that is not in the project of the work.

    :param search: value of ``PATH``.
    :param cwd: a program in there, or elsewhere in its project, could be the model's own.
    :param writable: further directories in which it could be.
    """
    closed = {os.path.realpath(place) for place in (cwd, project_root(cwd) or cwd, *writable)} - {"/"}
    for folder in search.split(os.pathsep):
        if not os.path.isabs(folder):
            continue
        path = f"{folder}/bwrap"
        if os.access(path, os.X_OK) and os.path.isfile(path) and not any(_inside(path, place) for place in closed):
            return path
    return None


def program_of(host: Host) -> str | None:
    """Return the bwrap that a program may use."""
    roots = host.config.get("sandbox_workspace_write.writable_roots") or ()
    return find_program(host.environ.get("PATH", ""), host.cwd, roots)


def known_binary(path: str, home: str) -> Binary:
    """Return a bwrap with what it can do; tried out only when the file or what runs it changed.

    :param home: ``$CODEX_HOME``, where the answers are kept.
    """
    kept = kept_binary(path, home)
    if kept is not None:
        return kept
    abilities = _tried(path)
    words = f"- {int(time.time())}" if abilities.problem else f"{abilities.argv0:d} {abilities.proc:d}"
    _write(home, [*_read(home)[-_MOST_KEPT:], f"{words} {_identity(path)}{_SPAN}{abilities.problem}"])
    return Binary(path, abilities)


def kept_binary(path: str, home: str) -> Binary | None:
    """Return a bwrap that was tried out before and has not changed since, else ``None``."""
    identity = _identity(path)
    for line in reversed(_read(home)):
        words, _, problem = line.partition(_SPAN)
        first, _, rest = words.partition(" ")
        second, _, found = rest.partition(" ")
        if found != identity:
            continue
        if first == "-":
            fresh = second.isdigit() and 0 <= time.time() - int(second) < _PROBLEM_SECONDS
            return Binary(path, Abilities(argv0=False, proc=False, problem=problem)) if fresh and problem else None
        return Binary(path, Abilities(argv0=first == "1", proc=second == "1"))
    return None


def _inside(path: str, folder: str) -> bool:
    return os.path.realpath(path).startswith(f"{folder}/")


def _identity(path: str) -> str:
    found = os.stat(path)
    parts = [path, found.st_dev, found.st_ino, found.st_mtime_ns, os.geteuid(), _boot(), _rights()]
    return ":".join(str(part) for part in (*parts, *_namespaces()))


def _rights() -> str:
    """Return what stands for the rights of this process and the mounts that a new ``/proc`` or ``/dev`` depends on.

    Containers differ in them, and numbers of namespaces are given out again.
    """
    import zlib

    kept = [_content(file) for file in _SETTINGS]
    kept += (line for line in _content("/proc/self/status").splitlines() if line.startswith(_RIGHTS))
    for line in _content("/proc/self/mountinfo").splitlines():
        fields = line.split(" ")
        if len(fields) > 5 and fields[4].startswith(("/proc", "/dev")):
            kept += fields[3:6]
    return f"{zlib.crc32(chr(10).join(kept).encode('utf-8', 'surrogateescape')):08x}"


def _content(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except OSError:
        return ""


def _boot() -> str:
    return _content("/proc/sys/kernel/random/boot_id").strip()


def _namespaces() -> list[str]:
    found = []
    for kind in ("user", "mnt"):
        try:
            found.append(os.readlink(f"/proc/self/ns/{kind}"))
        except OSError:
            continue
    return found


def _tried(path: str) -> Abilities:
    try:
        code, text = _run([path, "--help"])
        lacking = [option for option in _NEEDED if option not in text]
        if lacking:
            return _useless(text if code else f"it is too old or something else, it does not know {lacking[0]}", path)
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
    except OSError as error:
        return _useless(f"it can't be run: {error.strerror}", path)
    return _useless(text or f"it ended with {code}", path)


def _useless(reason: str, path: str) -> Abilities:
    return Abilities(argv0=False, proc=False, problem=f"{path}: {_last_line(reason) or 'no reason given'}")


def _run(arguments: list[str]) -> tuple[int, str]:
    """Run a program and return its exit code and what it says; it is killed when it takes too long or says too much."""
    import select
    import subprocess
    from contextlib import suppress

    end = time.monotonic() + _LIMIT
    text = b""
    with subprocess.Popen(
        arguments,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd="/",
        start_new_session=True,
    ) as process:
        output = process.stdout
        try:
            while output is not None and len(text) < _MOST_OUTPUT:
                ready = select.select([output], [], [], max(0.0, end - time.monotonic()))[0]
                data = os.read(output.fileno(), _MOST_OUTPUT) if ready else b""
                if not data:
                    break
                text += data
            code = process.wait(max(0.0, end - time.monotonic()) if len(text) < _MOST_OUTPUT else 0)
        except subprocess.TimeoutExpired:
            with suppress(OSError):
                os.killpg(process.pid, 9)
            return 1, f"no answer within {_LIMIT:g} s" if len(text) < _MOST_OUTPUT else "it does not stop talking"
    return code, text.decode("utf-8", "replace")


def _is_about_proc(text: str) -> bool:
    return "Can't mount proc" in text and "/newroot/proc" in text and any(each in text for each in _CANNOT_MOUNT)


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return "".join(sign for sign in lines[-1] if sign.isprintable())[:_MOST_REASON] if lines else ""


def _read(home: str) -> list[str]:
    """Return what is kept: ``ARGV0 PROC IDENTITY`` or ``- TIME IDENTITY`` and the problem, for each answer.

    A damaged file holds none that fits.
    """
    try:
        return (read_text(f"{home}/{_CACHE}", errors="replace") or "").split("\0")
    except ConfigError:
        return []


def _write(home: str, lines: list[str]) -> None:
    from contextlib import suppress

    target = f"{home}/{_CACHE}"
    temporary = f"{target}.{os.getpid()}.tmp"
    with suppress(OSError):
        os.makedirs(os.path.dirname(target), 0o700, exist_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with open(descriptor, "w", encoding="utf-8", errors="replace") as file:
            file.write("\0".join(lines))
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
