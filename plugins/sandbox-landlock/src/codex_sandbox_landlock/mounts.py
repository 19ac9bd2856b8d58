"""Enter namespaces and arrange what a command sees of the file system."""

from __future__ import annotations

import os
import stat

from codex_sandbox_landlock.syscalls import Failed, checked, cover_link, end_with_parent, libc, mount, set_attributes

TYPE_CHECKING = False  # The real one takes a millisecond to import.
if TYPE_CHECKING:
    from collections.abc import Callable

_NAMESPACES = {"mounts": 0x20000, "ipc": 0x08000000, "user": 0x10000000, "pids": 0x20000000, "network": 0x40000000}
_BIND, _RECURSIVE, _PRIVATE, _NOSUID, _NODEV, _NOEXEC = 0x1000, 0x4000, 0x40000, 0x2, 0x4, 0x8
RUNNING = -1
_FROM_KERNEL = 128
_SCRATCH = "/dev/shm"  # noqa: S108
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_HARMLESS = tuple(f"/dev/{name}" for name in _DEVICES)
_LINKS = {"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2", "ptmx": "pts/ptmx"}


def enter(operations: list[tuple[str, str]]) -> int:
    """Enter namespaces and arrange the mounts.

    :return: in the process that is to be the command, that it goes on; in those that wait for it, how it ended.
    """
    wanted = [value for operation, value in operations if operation == "unshare"]
    if not wanted:
        return RUNNING
    directory = os.getcwd()
    _unshare(wanted[0].split(","))
    reader, writer = os.pipe()
    child = os.fork()
    if child:
        return _ended(child)
    os.close(writer)
    end_with_parent()
    if _is_closed(reader):  # The parent had ended before that, which its number does not tell in here.
        os._exit(126)
    _arrange_mounts(operations)
    # The working directory is still that of the mounts that were covered.
    os.chdir(directory)
    child = os.fork()
    if child:
        return _ended(child, first=True)
    end_with_parent()
    return RUNNING


def namespaces_problem() -> str | None:
    """Return why namespaces can't be had, ``None`` when they can; the process is in them afterwards."""
    try:
        _unshare(list(_NAMESPACES))
        set_attributes("/", readonly=True)
    except (Failed, OSError) as error:
        return str(error)
    return None


def _arrange_mounts(operations: list[tuple[str, str]]) -> None:
    libc.mount(b"proc", b"/proc", b"proc", _NOSUID | _NODEV | _NOEXEC, None)  # Containers may keep the old one.
    hidden = [value for operation, value in operations if operation == "hide"]
    kept = _Kept(hidden, [value for operation, value in operations if operation in ("bind", "pin")])
    wanted = [value for operation, value in operations if operation == "device" and value not in _HARMLESS]
    acts: dict[str, Callable[[str], None]] = {
        "readonly": lambda path: set_attributes(path, readonly=True),
        "devices": lambda place: _make_devices(place, wanted),
        "bind": lambda path: _bind(path, kept.source(path), readonly=False),
        "pin": lambda path: _bind(path, kept.source(path), readonly=True),
        "hide": lambda path: _hide(path, kept),
        "hold": cover_link,
    }
    for operation, value in operations:
        if operation in acts:
            acts[operation](value)
    kept.close()


def _ended(child: int, *, first: bool = False) -> int:
    """Wait for a child, hand on what this process is told, and return the child's exit code, as shells count.

    :param first: this is the first process of the namespace, which takes in orphans; whoever is left ends with it.
    """
    import _signal  # type: ignore[import-not-found]

    _signal.signal(_signal.SIGTSTP, _signal.SIG_IGN)
    _signal.signal(_signal.SIGCHLD, _signal.SIG_DFL)
    told = [_signal.SIGINT, _signal.SIGQUIT, _signal.SIGHUP]
    heeded = [number for number in told if _signal.getsignal(number) != _signal.SIG_IGN]
    _signal.pthread_sigmask(_signal.SIG_BLOCK, [*heeded, _signal.SIGCHLD])
    while True:
        process, status = os.waitpid(-1 if first else child, os.WNOHANG)
        if process == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code
        if process:
            continue
        sent = _signal.sigwaitinfo([*heeded, _signal.SIGCHLD])
        # What a terminal says to the whole group reaches the command by itself.
        if sent.si_signo != _signal.SIGCHLD and sent.si_code != _FROM_KERNEL:
            os.kill(child, sent.si_signo)


def _is_closed(reader: int) -> bool:
    """Tell whether the other end of a pipe is gone."""
    os.set_blocking(reader, False)
    try:
        return not os.read(reader, 1)
    except BlockingIOError:
        return False


def _unshare(names: list[str]) -> None:
    user, group = os.geteuid(), os.getegid()
    checked("enter new namespaces", libc.unshare(sum(_NAMESPACES[name] for name in names)))
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        try:
            descriptor = os.open(f"/proc/self/{name}", os.O_WRONLY)
            os.write(descriptor, text.encode())
        except OSError as error:
            raise Failed(f"write {text} to /proc/self/{name}: {error.strerror}") from error
        os.close(descriptor)
    mount(None, "/", None, _RECURSIVE | _PRIVATE)


class _Kept:
    """Trees that are opened again below hidden ones; held by descriptors, as their paths lead nowhere meanwhile."""

    def __init__(self, hidden: list[str], opened: list[str]) -> None:
        inside = [path for path in opened if any(path.startswith(f"{tree}/") for tree in hidden)]
        self._descriptors = {path: os.open(path, os.O_PATH) for path in inside}

    def source(self, path: str) -> str:
        descriptor = self._descriptors.get(path)
        return path if descriptor is None else f"/proc/self/fd/{descriptor}"

    def make_places(self, tree: str) -> bool:
        """Make something below a hidden tree that these can be mounted on; tell whether there was any."""
        inside = [path for path in self._descriptors if path.startswith(f"{tree}/")]
        for path in inside:
            if stat.S_ISDIR(os.fstat(self._descriptors[path]).st_mode):
                os.makedirs(path, exist_ok=True)
            else:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0))
        return bool(inside)

    def close(self) -> None:
        for descriptor in self._descriptors.values():
            os.close(descriptor)


def _make_devices(place: str, more: list[str]) -> None:
    """Put a directory of harmless devices, terminals and memory of its own in the place of the real one.

    :param more: paths of real devices that are to be there as well.
    """
    wanted = {path: os.open(path, os.O_PATH) for path in more}
    real = {name: os.open(f"{place}/{name}", os.O_PATH) for name in _DEVICES if os.path.exists(f"{place}/{name}")}
    mount("tmpfs", place, "tmpfs", _NOSUID, "mode=755")
    for name, descriptor in real.items():
        os.close(os.open(f"{place}/{name}", os.O_CREAT | os.O_WRONLY, 0o666))
        mount(f"/proc/self/fd/{descriptor}", f"{place}/{name}", None, _BIND)
        os.close(descriptor)
    for path, descriptor in wanted.items():
        _put_device(path, descriptor)
    for name, target in _LINKS.items():
        os.symlink(target, f"{place}/{name}")
    for name in ("pts", "shm"):
        os.mkdir(f"{place}/{name}")
    set_attributes(place, readonly=True)
    mount("devpts", f"{place}/pts", "devpts", _NOSUID | _NOEXEC, "newinstance,ptmxmode=0666,mode=620")
    mount("tmpfs", f"{place}/shm", "tmpfs", _NOSUID | _NODEV, "mode=1777")


def _put_device(path: str, descriptor: int) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o666))
    mount(f"/proc/self/fd/{descriptor}", path, None, _BIND)
    os.close(descriptor)


def _bind(path: str, source: str, *, readonly: bool) -> None:
    mount(source, path, None, _BIND | _RECURSIVE)
    set_attributes(path, readonly=readonly)


def _hide(path: str, kept: _Kept) -> None:
    if os.path.isdir(path):
        mount("tmpfs", path, "tmpfs", _NOSUID | _NODEV, "mode=700")
        os.chmod(path, 0o111 if kept.make_places(path) else 0)
    else:
        source = f"{_SCRATCH}/.hidden"
        os.close(os.open(source, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0))
        mount(source, path, None, _BIND)
        os.unlink(source)
    set_attributes(path, readonly=True)
