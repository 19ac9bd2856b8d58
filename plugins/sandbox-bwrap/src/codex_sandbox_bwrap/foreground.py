"""Run a launched command on our own terminal and hand its end on."""

from __future__ import annotations

# The module around it takes a library of enumerations.
import _signal as signal  # type: ignore[import-not-found]
import os
import sys

from codex_hookspecs.errors import ExecError
from codex_sandbox_bwrap.standard_input import shield_input

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from codex_hookspecs.sandbox import Launch
    from codex_sandbox_bwrap.boxing import Boxed

_HANDED_ON = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)
_FROM_KERNEL = 128
_FIRST_INHERITED = 3
_DEATH_SIGNAL = 1


def run_in_foreground(launch: Launch | Boxed, cwd: str, told: Callable[[], int] = lambda: 0) -> int:
    """Run a program with our stdin, stdout and stderr and return its exit status, 128 + N for signal N.

    It gets no other descriptor of ours than those of the launch, and it does not outlive this process.

    :param told: how often this process was interrupted already by what nobody could act on.
    :raises ExecError: when it can't be started.
    """
    shield_input()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # Whoever ignores it does not learn of the end.
    heeded = [number for number in _HANDED_ON if signal.getsignal(number) != signal.SIG_IGN]
    # What comes from here on is kept until there is something to hand it on to.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (*heeded, signal.SIGCHLD))
    try:
        try:
            if told():
                return 128 + int(signal.SIGINT)
            pid = _start(launch, cwd, heeded, before)
        finally:
            if launch.started is not None:
                launch.started()
        status = _wait(pid, heeded)
    finally:
        if launch.ended is not None:
            launch.ended()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _wait(pid: int, heeded: list[int]) -> int:
    """Wait for the end of a child and give it what this process is told; return its wait status."""
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return status
        number, from_kernel = _next_signal((*heeded, signal.SIGCHLD))
        # What the terminal says to both of us reaches the child by itself.
        if number != signal.SIGCHLD and not from_kernel:
            os.kill(pid, number)


def _next_signal(numbers: Iterable[int]) -> tuple[int, bool]:
    """Return a blocked signal, and whether the kernel has sent it on its own account."""
    if hasattr(signal, "sigwaitinfo"):
        found = signal.sigwaitinfo(numbers)
        return found.si_signo, found.si_code == _FROM_KERNEL
    number = signal.sigwait(numbers)
    return number, number in (signal.SIGINT, signal.SIGQUIT)


def _start(launch: Launch | Boxed, cwd: str, heeded: list[int], mask: Iterable[int]) -> int:
    name = launch.arg0 if launch.arg0 is not None else launch.argv[0]
    arguments = [name, *launch.argv[1:]]
    if not launch.descriptors:
        return _forked(launch, arguments, cwd, mask)
    # It holds what its end can be seen to by, which leaves the quicker way.
    _keep_only(launch.descriptors)
    try:
        os.chdir(cwd)
        return os.posix_spawn(
            launch.argv[0], arguments, launch.env, setsigdef=(*heeded, signal.SIGPIPE), setsigmask=mask
        )
    except OSError as error:
        raise ExecError(f"the command was not run: {launch.argv[0]}: {error.strerror}") from error


def _forked(launch: Launch | Boxed, arguments: list[str], cwd: str, mask: Iterable[int]) -> int:
    """Start a program that something has to be done for between fork and exec."""
    ask = _death_signal()
    parent = os.getpid()
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            if ask is not None:
                ask(_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
                if os.getppid() != parent:  # It had ended before that.
                    os._exit(126)
            _enter(launch, arguments, cwd, mask)
        except BaseException as error:  # The child must not run on as a second copy of this program.
            os.write(writer, str(error).encode())
        os._exit(126)
    os.close(writer)
    with open(reader, "rb") as pipe:
        problem = pipe.read().decode()
    if problem:
        os.waitpid(pid, 0)
        raise ExecError(f"the command was not run: {launch.argv[0]}: {problem}")
    return pid


def _enter(launch: Launch | Boxed, arguments: list[str], cwd: str, mask: Iterable[int]) -> None:
    """Replace this process, with nothing inherited but what the launch names."""
    for number in (*_HANDED_ON, signal.SIGPIPE):
        if number == signal.SIGPIPE or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    _keep_only(launch.descriptors)
    os.chdir(cwd)
    if launch.prepare is not None:
        launch.prepare()
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    os.execve(launch.argv[0], arguments, launch.env)  # noqa: S606


def _keep_only(descriptors: tuple[int, ...]) -> None:
    """Have every descriptor but the standard ones and some others closed when this process becomes a program."""
    for name in os.listdir("/proc/self/fd") if os.path.isdir("/proc/self/fd") else map(str, range(1024)):
        number = int(name)
        if number >= _FIRST_INHERITED:
            try:
                os.set_inheritable(number, number in descriptors)
            except OSError:
                continue


def _death_signal() -> Callable[..., int] | None:
    """Return what a child asks the kernel with to end with its parent, where there is such a thing."""
    if sys.platform != "linux":
        return None
    import ctypes

    prctl: Callable[..., int] = ctypes.CDLL(None).prctl
    return prctl
