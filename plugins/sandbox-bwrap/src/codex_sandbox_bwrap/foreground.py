"""Run a launched command in the foreground: on this terminal, with signals forwarded, returning its exit status."""

from __future__ import annotations

# ``signal`` itself imports ``enum``, which is slow.
import _signal as signal  # type: ignore[import-not-found]
import os
import sys

from codex_hookspecs.errors import ExecError
from codex_sandbox_bwrap.standard_input import shield_input

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from codex_hookspecs.sandbox import Launch
    from codex_sandbox_bwrap.wrap import WrappedCommand

_FORWARDED = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)
_FROM_KERNEL = 128
_FIRST_INHERITED = 3
_DEATH_SIGNAL = 1


def enter_foreground() -> set[int]:
    """Prepare to run a command in the foreground: shield stdin, and block signals until they can be forwarded.

    :return: the signal mask before.
    """
    shield_input()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # If it is ignored, the exit status is lost.
    mask: set[int] = signal.pthread_sigmask(signal.SIG_BLOCK, (*_forwarded(), signal.SIGCHLD))
    return mask


def leave_foreground(launch: Launch | WrappedCommand, mask: Iterable[int]) -> None:
    """Release what a launch still has, then restore the signal mask."""
    try:
        launch.started()
        launch.close()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def run_in_foreground(launch: Launch | WrappedCommand, cwd: str, mask: set[int] | None = None) -> int:
    """Run a program with this process's stdin, stdout and stderr and return its exit status, 128 + N for signal N.

    It inherits no other descriptors than those of the launch, and it does not outlive this process. No other thread of
    this process may handle the signals that are forwarded to it.

    :param mask: what :func:`enter_foreground` has returned, if it was called already.
    :raises ExecError: when it can't be started.
    """
    before = enter_foreground() if mask is None else mask
    forwarded = _forwarded()
    try:
        try:
            pid = _start(launch, cwd, forwarded, before)
        finally:
            launch.started()
        status = _wait(pid, forwarded)
    finally:
        leave_foreground(launch, before)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _forwarded() -> list[int]:
    return [number for number in _FORWARDED if signal.getsignal(number) != signal.SIG_IGN]


def _wait(pid: int, forwarded: list[int]) -> int:
    """Wait for a child to exit and forward signals to it meanwhile; return its wait status."""
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return status
        number, from_kernel = _next_signal((*forwarded, signal.SIGCHLD))
        # The terminal sends its signals to the whole foreground process group, so the child has them already.
        if number != signal.SIGCHLD and not from_kernel:
            os.kill(pid, number)


def _next_signal(numbers: Iterable[int]) -> tuple[int, bool]:
    """Wait for a blocked signal; return it and whether the kernel sent it (for a terminal key, for instance)."""
    if hasattr(signal, "sigwaitinfo"):
        found = signal.sigwaitinfo(numbers)
        return found.si_signo, found.si_code == _FROM_KERNEL
    number = signal.sigwait(numbers)
    return number, number in (signal.SIGINT, signal.SIGQUIT)


def _start(launch: Launch | WrappedCommand, cwd: str, forwarded: list[int], mask: Iterable[int]) -> int:
    name = launch.arg0 if launch.arg0 is not None else launch.argv[0]
    arguments = [name, *launch.argv[1:]]
    if not launch.descriptors:
        return _fork_and_exec(launch, arguments, cwd, mask)
    # The watchdog kills it by the descriptor that it holds, so no parent-death signal is needed and spawn will do.
    _keep_only(launch.descriptors)
    try:
        os.chdir(cwd)
        return os.posix_spawn(
            launch.argv[0], arguments, launch.env, setsigdef=(*forwarded, signal.SIGPIPE), setsigmask=mask
        )
    except OSError as error:
        raise ExecError(f"the command was not run: {launch.argv[0]}: {error.strerror}") from error


def _fork_and_exec(launch: Launch | WrappedCommand, arguments: list[str], cwd: str, mask: Iterable[int]) -> int:
    """Start a program with a parent-death signal and ``prepare``, which both have to be done between fork and exec."""
    ask = _death_signal()
    parent = os.getpid()
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            if ask is not None:
                ask(_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
                if os.getppid() != parent:  # The parent ended before the signal was set.
                    os._exit(126)
            _exec(launch, arguments, cwd, mask)
        except BaseException as error:  # The child must never return into the caller.
            os.write(writer, str(error).encode())
        os._exit(126)
    os.close(writer)
    with open(reader, "rb") as pipe:
        problem = pipe.read().decode()
    if problem:
        os.waitpid(pid, 0)
        raise ExecError(f"the command was not run: {launch.argv[0]}: {problem}")
    return pid


def _exec(launch: Launch | WrappedCommand, arguments: list[str], cwd: str, mask: Iterable[int]) -> None:
    """Exec the program; it inherits only the descriptors of the launch."""
    for number in (*_FORWARDED, signal.SIGPIPE):
        if number == signal.SIGPIPE or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    _keep_only(launch.descriptors)
    os.chdir(cwd)
    if launch.prepare is not None:
        launch.prepare()
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    os.execve(launch.argv[0], arguments, launch.env)  # noqa: S606


def _keep_only(descriptors: tuple[int, ...]) -> None:
    """Mark every descriptor but the standard ones and the given ones as close-on-exec."""
    for name in os.listdir("/proc/self/fd") if os.path.isdir("/proc/self/fd") else map(str, range(1024)):
        number = int(name)
        if number >= _FIRST_INHERITED:
            try:
                os.set_inheritable(number, number in descriptors)
            except OSError:
                continue


def _death_signal() -> Callable[..., int] | None:
    """Return ``prctl``, with which a child sets its parent-death signal, ``None`` where there is none."""
    if sys.platform != "linux":
        return None
    import ctypes

    prctl: Callable[..., int] = ctypes.CDLL(None).prctl
    return prctl
