"""Find bwrap, probe which features it has and whether it works here, and cache the result."""

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

_TIMEOUT_SECONDS = 5.0
_MAX_OUTPUT_BYTES = 65536
_CACHE = "cache/sandbox-bwrap.list"
_MAX_CACHE_ENTRIES = 16
_PROBLEM_TTL_SECONDS = 60
"""How long a failed probe is cached: its cause may be fixed without any change that the cache key shows."""

_STATUS_FIELDS = ("CapEff:", "CapBnd:", "NoNewPrivs:", "Seccomp:", "Seccomp_filters:")
_SYSCTL_FILES = (
    "/proc/sys/user/max_user_namespaces",
    "/proc/sys/kernel/unprivileged_userns_clone",
    "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
)

_MOUNT_ERRORS = ("Invalid argument", "Operation not permitted", "Permission denied")
_NAMESPACE_ERRORS = (
    "loopback: Failed RTM_NEWADDR",
    "loopback: Failed RTM_NEWLINK",
    "setting up uid map: Permission denied",
    "No permissions to create a new namespace",
)
_REQUIRED_OPTIONS = (
    "--cap-drop",
    "--die-with-parent",
    "--info-fd",
    "--perms",
    "--ro-bind-data",
    "--seccomp",
    "--sync-fd",
)
_PROBLEM_SEPARATOR = "\1"
_MAX_REASON_LENGTH = 200


class Features(NamedTuple):
    """What a bwrap can do on this machine.

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
        return any(sign in self.problem for sign in _NAMESPACE_ERRORS)


class Binary(NamedTuple):
    """A bwrap program and its features."""

    path: str
    features: Features


def find_program(search: str, cwd: str, writable: Iterable[str] = ()) -> str | None:
    """Return the first bwrap on a search path that sandboxed commands can't have written.

    :param search: value of ``PATH``.
    :param cwd: working directory; programs in its project are skipped.
    :param writable: further directories that commands may write; programs in there are skipped, too.
    """
    untrusted = {os.path.realpath(folder) for folder in (cwd, project_root(cwd) or cwd, *writable)} - {"/"}
    for folder in search.split(os.pathsep):
        if not os.path.isabs(folder):
            continue
        path = f"{folder}/bwrap"
        if os.access(path, os.X_OK) and os.path.isfile(path) and not any(_inside(path, folder) for folder in untrusted):
            return path
    return None


def program_for(host: Host) -> str | None:
    """Return the path of the bwrap that a host uses, ``None`` when there is none."""
    roots = host.config.get("sandbox_workspace_write.writable_roots") or ()
    return find_program(host.environ.get("PATH", ""), host.cwd, roots)


def probe_binary(path: str, home: str) -> Binary:
    """Return a bwrap with its features; runs it only when the result is not cached.

    :param home: ``$CODEX_HOME``, where the cache is.
    """
    cached = cached_binary(path, home)
    if cached is not None:
        return cached
    features = _probe(path)
    words = f"- {int(time.time())}" if features.problem else f"{features.argv0:d} {features.proc:d}"
    _write_cache(
        home,
        [*_read_cache(home)[-_MAX_CACHE_ENTRIES:], f"{words} {_identity(path)}{_PROBLEM_SEPARATOR}{features.problem}"],
    )
    return Binary(path, features)


def cached_binary(path: str, home: str) -> Binary | None:
    """Return a bwrap from the cache, ``None`` when it was not probed since it, or the machine's state, changed."""
    identity = _identity(path)
    for line in reversed(_read_cache(home)):
        words, _, problem = line.partition(_PROBLEM_SEPARATOR)
        first, _, rest = words.partition(" ")
        second, _, found = rest.partition(" ")
        if found != identity:
            continue
        if first == "-":
            fresh = second.isdigit() and 0 <= time.time() - int(second) < _PROBLEM_TTL_SECONDS
            return Binary(path, Features(argv0=False, proc=False, problem=problem)) if fresh and problem else None
        return Binary(path, Features(argv0=first == "1", proc=second == "1"))
    return None


def _inside(path: str, folder: str) -> bool:
    return os.path.realpath(path).startswith(f"{folder}/")


def _identity(path: str) -> str:
    found = os.stat(path)
    parts = [path, found.st_dev, found.st_ino, found.st_mtime_ns, os.geteuid(), _boot_id(), _context_checksum()]
    return ":".join(str(part) for part in (*parts, *_namespace_ids()))


def _context_checksum() -> str:
    """Return a checksum of this process's privileges and of the mounts that a new ``/proc`` or ``/dev`` depends on.

    Containers differ in them, and namespace numbers, which are part of the cache key as well, are reused.
    """
    import zlib

    cached = [_read_file(file) for file in _SYSCTL_FILES]
    cached += (line for line in _read_file("/proc/self/status").splitlines() if line.startswith(_STATUS_FIELDS))
    for line in _read_file("/proc/self/mountinfo").splitlines():
        fields = line.split(" ")
        if len(fields) > 5 and fields[4].startswith(("/proc", "/dev")):
            cached += fields[3:6]
    return f"{zlib.crc32(chr(10).join(cached).encode('utf-8', 'surrogateescape')):08x}"


def _read_file(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except OSError:
        return ""


def _boot_id() -> str:
    return _read_file("/proc/sys/kernel/random/boot_id").strip()


def _namespace_ids() -> list[str]:
    found = []
    for kind in ("user", "mnt"):
        try:
            found.append(os.readlink(f"/proc/self/ns/{kind}"))
        except OSError:
            continue
    return found


def _probe(path: str) -> Features:
    try:
        code, text = _run([path, "--help"])
        missing = [option for option in _REQUIRED_OPTIONS if option not in text]
        if missing:
            return _broken(text if code else f"it is too old or something else, it does not know {missing[0]}", path)
        argv0 = "--argv0" in text
        command = [path, "--ro-bind", "/", "/", "--dev", "/dev", "--unshare-user", "--unshare-pid", "--unshare-net"]
        true = next((each for each in ("/usr/bin/true", "/bin/true") if os.path.exists(each)), "true")
        code, text = _run([*command, "--proc", "/proc", "--", true])
        if code == 0:
            return Features(argv0=argv0, proc=True)
        if _cannot_mount_proc(text):
            code, text = _run([*command, "--", true])
            if code == 0:
                return Features(argv0=argv0, proc=False)
    except OSError as error:
        return _broken(f"it can't be run: {error.strerror}", path)
    return _broken(text or f"it ended with {code}", path)


def _broken(reason: str, path: str) -> Features:
    return Features(argv0=False, proc=False, problem=f"{path}: {_last_line(reason) or 'no reason given'}")


def _run(arguments: list[str]) -> tuple[int, str]:
    """Run a program and return its exit code and output; kill it when it takes too long or prints too much."""
    import select
    import subprocess
    from contextlib import suppress

    end = time.monotonic() + _TIMEOUT_SECONDS
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
            while output is not None and len(text) < _MAX_OUTPUT_BYTES:
                ready = select.select([output], [], [], max(0.0, end - time.monotonic()))[0]
                data = os.read(output.fileno(), _MAX_OUTPUT_BYTES) if ready else b""
                if not data:
                    break
                text += data
            code = process.wait(max(0.0, end - time.monotonic()) if len(text) < _MAX_OUTPUT_BYTES else 0)
        except subprocess.TimeoutExpired:
            with suppress(OSError):
                os.killpg(process.pid, 9)
            return 1, f"no answer within {_TIMEOUT_SECONDS:g} s" if len(
                text
            ) < _MAX_OUTPUT_BYTES else "it does not stop printing"
    return code, text.decode("utf-8", "replace")


def _cannot_mount_proc(text: str) -> bool:
    return "Can't mount proc" in text and "/newroot/proc" in text and any(each in text for each in _MOUNT_ERRORS)


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return "".join(sign for sign in lines[-1] if sign.isprintable())[:_MAX_REASON_LENGTH] if lines else ""


def _read_cache(home: str) -> list[str]:
    """Return the cache entries: ``ARGV0 PROC IDENTITY``, or ``- TIME IDENTITY`` followed by the problem.

    A damaged file yields entries that match no identity.
    """
    try:
        return (read_text(f"{home}/{_CACHE}", errors="replace") or "").split("\0")
    except ConfigError:
        return []


def _write_cache(home: str, lines: list[str]) -> None:
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
