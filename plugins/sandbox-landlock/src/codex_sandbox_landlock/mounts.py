"""Enter namespaces and set up the mounts that a command sees."""

from __future__ import annotations

import os
import stat

from codex_sandbox_landlock.syscalls import StepFailed, check, die_with_parent, libc, mount, pin_link, set_attributes

TYPE_CHECKING = False  # Importing typing takes a millisecond.
if TYPE_CHECKING:
    from collections.abc import Callable

_NAMESPACES = {"mounts": 0x20000, "ipc": 0x08000000, "user": 0x10000000, "pids": 0x20000000, "network": 0x40000000}
_BIND, _RECURSIVE, _PRIVATE, _NOSUID, _NODEV, _NOEXEC = 0x1000, 0x4000, 0x40000, 0x2, 0x4, 0x8
RUNNING = -1
_SI_KERNEL = 128
_SCRATCH = "/dev/shm"  # noqa: S108
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_STANDARD_DEVICES = tuple(f"/dev/{name}" for name in _DEVICES)
_LINKS = {"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2", "ptmx": "pts/ptmx"}


def enter(operations: list[tuple[str, str]]) -> int:
    """Enter namespaces and set up the mounts.

    :return: in the process that is to exec the command, :data:`RUNNING`; in its waiting parents, its exit status.
    """
    wanted = [value for operation, value in operations if operation == "unshare"]
    if not wanted:
        return RUNNING
    directory = os.getcwd()
    _unshare(wanted[0].split(","))
    reader, writer = os.pipe()
    child = os.fork()
    if child:
        return _wait_for(child)
    os.close(writer)
    die_with_parent()
    if _is_closed(reader):  # The parent has ended already; getppid() can't show it in a new pid namespace.
        os._exit(126)
    _arrange_mounts(operations)
    # The working directory still refers to a mount that is covered now.
    os.chdir(directory)
    child = os.fork()
    if child:
        return _wait_for(child, is_init=True)
    die_with_parent()
    return RUNNING


def namespaces_problem() -> str | None:
    """Return why namespaces can't be created, ``None`` when they can; this process is in new ones afterwards."""
    try:
        _unshare(list(_NAMESPACES))
        set_attributes("/", readonly=True)
    except (StepFailed, OSError) as error:
        return str(error)
    return None


def _arrange_mounts(operations: list[tuple[str, str]]) -> None:
    libc.mount(b"proc", b"/proc", b"proc", _NOSUID | _NODEV | _NOEXEC, None)  # Containers may keep the old one.
    hidden = [value for operation, value in operations if operation == "hide"]
    reopened = _ReopenedTrees(hidden, [value for operation, value in operations if operation in ("bind", "pin")])
    wanted = [value for operation, value in operations if operation == "device" and value not in _STANDARD_DEVICES]
    actions: dict[str, Callable[[str], None]] = {
        "readonly": lambda path: set_attributes(path, readonly=True),
        "devices": lambda directory: _make_devices(directory, wanted),
        "bind": lambda path: _bind(path, reopened.source(path), readonly=False),
        "pin": lambda path: _bind(path, reopened.source(path), readonly=True),
        "hide": lambda path: _hide(path, reopened),
        "pin-link": pin_link,
    }
    for operation, value in operations:
        if operation in actions:
            actions[operation](value)
    reopened.close()


def _wait_for(child: int, *, is_init: bool = False) -> int:
    """Wait for a child, forward signals to it, and return its exit status as a shell does (128 + N for signal N).

    :param is_init: this process is pid 1 of the namespace: it reaps orphans, and all other processes end with it.
    """
    import _signal  # type: ignore[import-not-found]

    _signal.signal(_signal.SIGTSTP, _signal.SIG_IGN)
    _signal.signal(_signal.SIGCHLD, _signal.SIG_DFL)
    signals = [_signal.SIGINT, _signal.SIGQUIT, _signal.SIGHUP]
    forwarded = [number for number in signals if _signal.getsignal(number) != _signal.SIG_IGN]
    _signal.pthread_sigmask(_signal.SIG_BLOCK, [*forwarded, _signal.SIGCHLD])
    while True:
        process, status = os.waitpid(-1 if is_init else child, os.WNOHANG)
        if process == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code
        if process:
            continue
        sent = _signal.sigwaitinfo([*forwarded, _signal.SIGCHLD])
        # Signals of the terminal go to the whole process group, so the command has them already.
        if sent.si_signo != _signal.SIGCHLD and sent.si_code != _SI_KERNEL:
            os.kill(child, sent.si_signo)


def _is_closed(reader: int) -> bool:
    """Return whether the other end of a pipe is closed."""
    os.set_blocking(reader, False)
    try:
        return not os.read(reader, 1)
    except BlockingIOError:
        return False


def _unshare(names: list[str]) -> None:
    user, group = os.geteuid(), os.getegid()
    check("enter new namespaces", libc.unshare(sum(_NAMESPACES[name] for name in names)))
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        try:
            descriptor = os.open(f"/proc/self/{name}", os.O_WRONLY)
            os.write(descriptor, text.encode())
        except OSError as error:
            raise StepFailed(f"write {text} to /proc/self/{name}: {error.strerror}") from error
        os.close(descriptor)
    mount(None, "/", None, _RECURSIVE | _PRIVATE)


class _ReopenedTrees:
    """Paths below hidden trees that are made accessible again; kept as descriptors, since hiding covers the paths."""

    def __init__(self, hidden: list[str], opened: list[str]) -> None:
        inside = [path for path in opened if any(path.startswith(f"{tree}/") for tree in hidden)]
        self._descriptors = {path: os.open(path, os.O_PATH) for path in inside}

    def source(self, path: str) -> str:
        descriptor = self._descriptors.get(path)
        return path if descriptor is None else f"/proc/self/fd/{descriptor}"

    def make_mount_points(self, tree: str) -> bool:
        """Create mount points for these paths below a hidden tree; return whether there are any."""
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


def _make_devices(directory: str, more: list[str]) -> None:
    """Replace ``/dev`` by a directory with the standard devices and its own ``pts`` and ``shm``.

    :param more: paths of further devices to keep.
    """
    wanted = {path: os.open(path, os.O_PATH) for path in more}
    real = {
        name: os.open(f"{directory}/{name}", os.O_PATH) for name in _DEVICES if os.path.exists(f"{directory}/{name}")
    }
    mount("tmpfs", directory, "tmpfs", _NOSUID, "mode=755")
    for name, descriptor in real.items():
        os.close(os.open(f"{directory}/{name}", os.O_CREAT | os.O_WRONLY, 0o666))
        mount(f"/proc/self/fd/{descriptor}", f"{directory}/{name}", None, _BIND)
        os.close(descriptor)
    for path, descriptor in wanted.items():
        _add_device(path, descriptor)
    for name, target in _LINKS.items():
        os.symlink(target, f"{directory}/{name}")
    for name in ("pts", "shm"):
        os.mkdir(f"{directory}/{name}")
    set_attributes(directory, readonly=True)
    mount("devpts", f"{directory}/pts", "devpts", _NOSUID | _NOEXEC, "newinstance,ptmxmode=0666,mode=620")
    mount("tmpfs", f"{directory}/shm", "tmpfs", _NOSUID | _NODEV, "mode=1777")


def _add_device(path: str, descriptor: int) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o666))
    mount(f"/proc/self/fd/{descriptor}", path, None, _BIND)
    os.close(descriptor)


def _bind(path: str, source: str, *, readonly: bool) -> None:
    mount(source, path, None, _BIND | _RECURSIVE)
    set_attributes(path, readonly=readonly)


def _hide(path: str, reopened: _ReopenedTrees) -> None:
    if os.path.isdir(path):
        mount("tmpfs", path, "tmpfs", _NOSUID | _NODEV, "mode=700")
        os.chmod(path, 0o111 if reopened.make_mount_points(path) else 0)
    else:
        source = f"{_SCRATCH}/.hidden"
        os.close(os.open(source, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0))
        mount(source, path, None, _BIND)
        os.unlink(source)
    set_attributes(path, readonly=True)
